import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnyAuth, type AuthEvent, type AuthUser, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { signingKey } from "../support/auth.ts";
import { refused } from "./node.ts";

let store: ReturnType<typeof sqliteStore>;
beforeEach(async () => {
  store = sqliteStore(":memory:");
  await store.migrate();
});
afterEach(() => store.close());

const client = { ip: "2001:db8::1" };

/** A delay that isn't over before a test is. */
const longDelay = { loginDelay: 3_600, maxLoginDelay: 3_600 };

/** Guesses so often, and is throttled after that. */
async function guess(auth: Pick<AnyAuth, "login">, times: number): Promise<void> {
  const wrong = { username: "alice", password: "a wrong password" };
  for (let n = 0; n < times; n++)
    await expect(auth.login(wrong, { client })).rejects.toEqual(refused("no_active_account"));
  await expect(auth.login(wrong, { client })).rejects.toEqual(refused("throttled"));
}

describe("auth.throttle", () => {
  it("clears a user's failed logins from everywhere, returns how many counts that were, and records who did it", async () => {
    const auth = createAuth({ store, signingKey, ...longDelay, passwordMemoryCost: 8 });
    await auth.ready();
    const { id: userId } = await auth.users.create({ username: "alice", password: "correct horse battery staple" });
    const events: AuthEvent[] = [];
    await guess(auth, 5);
    auth.on((event) => void events.push(event));
    expect(await auth.throttle.clearUser(userId, { client: { actor: "an operator" } })).toBe(2);
    const unlocked = { type: "unlocked", time: expect.any(Number), userId, client: { actor: "an operator" } };
    expect(events).toEqual([unlocked]);
    const { entries } = await auth.audit.list({ type: "unlocked" });
    expect(entries).toMatchObject([{ type: "unlocked", userId, actor: "an operator" }]);
    await guess(auth, 5);
    await expect(auth.throttle.clearUser("no such id")).rejects.toEqual(refused("user_not_found"));
    await auth.close();
  });

  it("clears the failed logins from an address's /64 on all accounts", async () => {
    const auth = createAuth({
      store,
      signingKey,
      ...longDelay,
      passwordMemoryCost: 8,
      loginFailuresBeforeDelay: 0,
      addressFailuresBeforeDelay: 3,
    });
    await auth.ready();
    await guess(auth, 3);
    expect(await auth.throttle.clearAddress("2001:db8::ffff")).toBe(1);
    await guess(auth, 3);
    await expect(auth.throttle.clearAddress("somewhere")).rejects.toThrow(
      new TypeError('ip must be an IP address, such as 192.0.2.7 or 2001:db8::1, or "unix"'),
    );
    await auth.close();
  });

  it("clears the failed logins of a user in the application's own table by the user's name", async () => {
    const alice: AuthUser = { id: "u-1", username: "Alice", isActive: true };
    const auth = createAuth({
      store,
      signingKey,
      ...longDelay,
      verifyCredentials: async (): Promise<AuthUser | null> => null,
      findUser: async (id): Promise<AuthUser | null> => (id === alice.id ? alice : null),
    });
    await auth.ready();
    await guess(auth, 5);
    expect(await auth.throttle.clearUser("u-1")).toBe(2);
    await guess(auth, 5);
    await auth.close();
  });
});

describe("auth.users", () => {
  it("creates no user and sets no password if the application keeps the users", async () => {
    const auth = createAuth({ store, signingKey, findUser: async (id) => ({ id, username: "Alice", isActive: true }) });
    await auth.ready();
    await auth.issue("u-1");
    const refusal = "findUser is set, so your application keeps the users.";
    await expect(auth.users.setPassword("u-1", "correct horse battery staple")).rejects.toThrow(refusal);
    await expect(auth.users.create({ username: "bob" })).rejects.toThrow(refusal);
    await expect(auth.users.update("u-1", { username: "bob" })).rejects.toThrow(refusal);
    expect(await store.users.findByKey("bob")).toBeNull();
    await auth.close();
  });
});
