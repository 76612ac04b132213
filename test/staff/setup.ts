import type { Role } from "../../src/core/role.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type AuthOptions, createAuth } from "../../src/index.ts";
import { type Console, createConsole } from "../../src/staff/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

/** A staff API over SQLite in memory, and its users. */
export type StaffScene = Awaited<ReturnType<typeof createStaffScene>>;

/** Creates a staff API. The password of every user is the same, and cheap to hash. */
export async function createStaffScene(settings: Partial<AuthOptions> = {}, store: Store = sqliteStore(":memory:")) {
  await store.migrate();
  const auth = createAuth({
    store,
    signingKey: "0123456789abcdef".repeat(4),
    passwordMemoryCost: 19_456,
    passwordTimeCost: 2,
    ...settings,
  });
  await auth.ready();
  const staff: Console = createConsole(auth);

  async function addUser(username: string, role: Role | null = null): Promise<{ id: string; access: string }> {
    const { id } = await auth.users.create({ username, role, password: "a long password" });
    const { access } = await auth.issue(id);
    return { id, access };
  }

  /** Sends a request to the staff API as the owner of an access token. */
  async function call(access: string | null, method: string, path: string, body?: unknown) {
    const response = await staff.fetch(
      new Request(`http://localhost/api/admin/${path}`, {
        method,
        headers: {
          ...(access === null ? {} : { Authorization: `Bearer ${access}` }),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
  }

  /** Sends a GET request to the staff API. */
  const request = (access: string, path: string) =>
    staff.fetch(new Request(`http://localhost/api/admin/${path}`, { headers: { Authorization: `Bearer ${access}` } }));

  return {
    request,
    text: async (access: string, path: string) => (await request(access, path)).text(),
    store,
    auth,
    staff,
    addUser,
    call,
    close: async () => {
      await staff.close();
      await auth.close();
    },
  };
}
