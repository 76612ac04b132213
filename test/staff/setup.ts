import type { Role } from "../../src/core/role.ts";
import { createAuth } from "../../src/create-auth.ts";
import { type Console, createConsole } from "../../src/staff/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

/** A staff API over SQLite in memory, and its users. */
export type StaffScene = Awaited<ReturnType<typeof createStaffScene>>;

/** Creates a staff API. The password of every user is the same, and cheap to hash. */
export async function createStaffScene() {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const auth = createAuth({
    store,
    signingKey: "0123456789abcdef".repeat(4),
    passwordMemoryCost: 19_456,
    passwordTimeCost: 2,
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

  return {
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
