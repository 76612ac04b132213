import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Auth, type AuthEvent, type AuthUser, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { expectRefused } from "../flows/flow.ts";
import { signingKey } from "../support/auth.ts";

let store: ReturnType<typeof sqliteStore>;
beforeEach(async () => {
  store = sqliteStore(":memory:");
  await store.migrate();
});
afterEach(() => store.close());

const client = { ip: "2001:db8::1" };

async function guess(auth: Auth, times: number): Promise<void> {
  const wrong = { username: "alice", password: "a wrong password" };
  for (let n = 0; n < times; n++) await expectRefused(auth.login(wrong, { client }), "no_active_account");
  await expectRefused(auth.login(wrong, { client }), "throttled");
}

describe("unlocking", () => {
  it("lets a user guess afresh, from everywhere, and says how much it has forgotten", async () => {
    const auth = createAuth({ store, signingKey, passwordMemoryCost: 8 });
    await auth.ready();
    const user = await auth.users.create({ username: "alice", password: "correct horse battery staple" });
    const events: AuthEvent[] = [];
    await guess(auth, 5);
    auth.on((event) => void events.push(event));
    expect(await auth.users.unlock(user?.id ?? "", { actor: "an operator" })).toBe(2);
    const unlocked = { type: "unlocked", time: expect.any(Number), userId: user?.id, client: { actor: "an operator" } };
    expect(events).toEqual([unlocked]);
    const { entries } = await store.audit.read({ after: null, type: "unlocked", limit: 10 });
    expect(entries).toMatchObject([{ type: "unlocked", userId: user?.id, actor: "an operator" }]);
    await guess(auth, 5);
    await expectRefused(auth.users.unlock("no such id"), "user_not_found");
    auth.close();
  });

  it("of an address frees its /64 on all accounts", async () => {
    const auth = createAuth({
      store,
      signingKey,
      passwordMemoryCost: 8,
      loginFailuresBeforeDelay: 0,
      addressFailuresBeforeDelay: 3,
    });
    await auth.ready();
    await guess(auth, 3);
    expect(await auth.unlockAddress("2001:db8::ffff")).toBe(1);
    await guess(auth, 3);
    await expect(auth.unlockAddress("somewhere")).rejects.toThrow(new TypeError("this is no IP address"));
    auth.close();
  });

  it("of a user of the application's own table goes by the name", async () => {
    const alice: AuthUser = { id: "u-1", username: "Alice", isActive: true };
    const auth = createAuth({
      store,
      signingKey,
      verifyCredentials: async () => null,
      findUser: async (id) => (id === alice.id ? alice : null),
    });
    await auth.ready();
    await guess(auth as unknown as Auth, 5);
    expect(await auth.users.unlock("u-1")).toBe(2);
    await guess(auth as unknown as Auth, 5);
    auth.close();
  });

  it("is all that there is to do with the application's own users: passwords are refused, which nothing would ask for", async () => {
    const auth = createAuth({ store, signingKey, findUser: async (id) => ({ id, username: "Alice", isActive: true }) });
    await auth.ready();
    await auth.issue("u-1");
    const refusal = "findUser: the application keeps its users itself";
    await expect(auth.users.setPassword("u-1", "correct horse battery staple")).rejects.toThrow(refusal);
    await expect(auth.users.create({ username: "bob" })).rejects.toThrow(refusal);
    expect(await store.users.findByKey("bob")).toBeNull();
    auth.close();
  });
});
