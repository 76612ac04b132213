import type { Role } from "../../src/core/role.ts";
import type { Store } from "../../src/core/store/index.ts";
import { type AuthOptions, createAuth } from "../../src/index.ts";
import { type Console, type ConsoleOptions, createConsole } from "../../src/staff/index.ts";
import { openTestStore } from "../support/test-store.ts";

/** A staff API over the project's store, and its users. */
export type StaffScene = Awaited<ReturnType<typeof createStaffScene>>;

/** Creates a staff API. */
export async function createStaffScene(
  settings: Partial<AuthOptions> = {},
  given?: Store,
  options: ConsoleOptions = {},
) {
  const store = given ?? (await openTestStore(() => Math.floor(Date.now() / 1_000)));
  await store.migrate();
  const auth = createAuth({
    store,
    signingKey: "0123456789abcdef".repeat(4),
    passwordMemoryCost: 19_456,
    passwordTimeCost: 2,
    // A clock that a test moves doesn't make the feed stale, and a pause of the machine doesn't end a confirmation.
    maxStaleness: 3_600,
    signalMaxStaleness: 3_600,
    confirmTimeout: 60,
    ...settings,
  });
  await auth.ready();
  const staff: Console = createConsole(auth, options);

  /** Creates a user with an unknown password, which costs no hash, and a session. */
  async function addUser(
    username: string,
    role: Role | null = null,
    more: { readonly email?: string } = {},
  ): Promise<{ id: string; access: string }> {
    const hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
    const usernameKey = username.toLowerCase();
    const made = await store.users.create({
      username,
      usernameKey,
      email: more.email ?? null,
      role,
      passwordHash: hash,
    });
    if (made.outcome !== "created") throw new Error("the name is taken");
    const { id } = made.user;
    const { access } = await auth.issue(id);
    return { id, access };
  }

  /** Creates a user with the password "a long password", and a session. */
  async function addUserWithPassword(
    username: string,
    role: Role | null = null,
  ): Promise<{ id: string; access: string }> {
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
    addUserWithPassword,
    call,
    close: async () => {
      await staff.close();
      await auth.close();
      await store.close();
    },
  };
}
