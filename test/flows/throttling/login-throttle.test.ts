import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import { login } from "../../../src/flows/login.ts";
import { createUser } from "../../../src/flows/users/users.ts";
import { alice } from "../../support/auth.ts";
import { eventsOf, expectRefused } from "../flow.ts";
import { type Attempt, bob, day, fromEverywhere, right, startThrottled, type Throttled } from "./attempts.ts";

let t: Throttled;

afterEach(() => t.auth.close());

describe("the login throttle, for one account and one address,", () => {
  it("admits five failures, then delays by 5 s and by twice as long after every further failure, up to 15 minutes", async () => {
    t = await startThrottled();
    expect(await t.attemptTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
    const delays = [];
    for (let n = 0; n < 10; n++) {
      const wait = await t.attempt();
      delays.push(wait);
      t.auth.clock.advance(Number(wait) - 1);
      expect(await t.attempt()).toBe(1);
      t.auth.clock.advance(1);
      expect(await t.attempt()).toBe("wrong");
    }
    expect(delays).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
  });

  it("refuses a throttled attempt with the right password too, without verifying the password", async () => {
    t = await startThrottled();
    await t.attemptTimes(5);
    t.failToVerify(new Error("verified a password"));
    expect(await t.attempt(right)).toBe(5);
  });

  it("delays neither other addresses on the account nor the address on other accounts", async () => {
    t = await startThrottled();
    await t.attemptTimes(5);
    expect(await t.attempt({ ...right, ip: "203.0.113.9" })).toBe("in");
    expect(await t.attempt(bob)).toBe("in");
  });

  it("counts an IPv6 client by its /64, and an IPv4-mapped address as IPv4", async () => {
    t = await startThrottled();
    await t.attemptTimes(5, (n) => ({ ip: `2001:db8:0:1::${n}` }));
    expect(await t.attempt({ ip: "2001:db8:0:1:ffff::1" })).toBe(5);
    expect(await t.attempt({ ip: "2001:db8:0:2::1" })).toBe("wrong");
    await t.attemptTimes(5, () => ({ username: "bob", ip: "::ffff:192.0.2.77" }));
    expect(await t.attempt({ username: "bob", ip: "192.0.2.77" })).toBe(5);
  });

  it("treats a name that no user has like a user's name", async () => {
    t = await startThrottled();
    const known = await t.attemptTimes(8);
    expect(await t.attemptTimes(8, () => ({ username: "nobody", ip: "192.0.2.2" }))).toEqual(known);
  });

  it("counts all spellings of a username as one", async () => {
    t = await startThrottled();
    await t.attemptTimes(5, (n) => ({ username: ["alice", "ALICE", " Alice\t", "\uff41lice", "aLICE"][n] ?? "" }));
    expect(await t.attempt()).toBe(5);
  });

  it("clears the failures after a success", async () => {
    t = await startThrottled();
    await t.attemptTimes(4);
    expect(await t.attempt(right)).toBe("in");
    expect(await t.attemptTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
  });

  it("forgets the failures of an address on an account after a day without another", async () => {
    t = await startThrottled();
    await t.attemptWithWaits(9);
    t.auth.clock.advance(day);
    expect(await t.attemptTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
  });
});

describe("the login throttle, for one account and many addresses,", () => {
  it("delays all addresses after 20 failures on the account", async () => {
    t = await startThrottled();
    expect(await t.attemptTimes(22, fromEverywhere)).toEqual([...Array(20).fill("wrong"), 5, 5]);
    t.auth.clock.advance(5);
    expect(await t.attempt(fromEverywhere(300))).toBe("wrong");
    expect(await t.attempt(fromEverywhere(301))).toBe(10);
  });

  it.each(["alice", "nobody"])(
    "locks the account for unknown devices after 90 failures, without an end: %s",
    async (username) => {
      t = await startThrottled();
      expect(await t.attemptWithWaits(1_000, (n) => ({ ...fromEverywhere(n), username }))).toBe(90);
      t.auth.clock.advance(60 * day);
      expect(await t.attempt({ ...fromEverywhere(2_000), username, ...right })).toBe(day);
    },
  );

  it("keeps a user's account locked for years, and forgets a name that no user has", async () => {
    t = await startThrottled();
    await t.attemptWithWaits(90, fromEverywhere);
    await t.attemptWithWaits(90, (n) => ({ ...fromEverywhere(n), username: "nobody" }));
    t.auth.clock.advance(5 * 365 * day);
    expect(await t.attempt(fromEverywhere(2_000))).toBe(day);
    expect(await t.attempt({ ...fromEverywhere(2_000), username: "nobody" })).toBe("wrong");
  });

  it("clears the failures from all addresses after a success", async () => {
    t = await startThrottled();
    await t.attemptWithWaits(30, fromEverywhere);
    t.auth.clock.advance(day);
    expect(await t.attempt({ ...right, ip: "203.0.113.9" })).toBe("in");
    expect(await t.attemptTimes(20, fromEverywhere)).toEqual(Array(20).fill("wrong"));
  });

  it("does not count the failures of a name against a user who is created later with it", async () => {
    t = await startThrottled();
    await t.attemptWithWaits(90, (n) => ({ ...fromEverywhere(n), username: "carol" }));
    await createUser(t.auth.deps, { username: "carol", password: "yet another password" });
    expect(await t.attempt({ username: "carol", password: "yet another password", ip: "203.0.113.9" })).toBe("in");
  });
});

describe("the login throttle, for many accounts and one address,", () => {
  const anyUser = (n: number): Attempt => ({ username: `user${n}` });

  it("delays the address on every account after 50 failures within an hour", async () => {
    t = await startThrottled();
    expect(await t.attemptTimes(51, anyUser)).toEqual([...Array(50).fill("wrong"), 5]);
    expect(await t.attempt(right)).toBe(5);
    expect(await t.attempt({ ...right, ip: "192.0.2.2" })).toBe("in");
  });

  it("takes only the attempt itself back after a success, not the address's other failures", async () => {
    t = await startThrottled();
    await t.attemptTimes(49, anyUser);
    for (let n = 0; n < 5; n++) expect(await t.attempt(right)).toBe("in");
    expect(await t.attempt(anyUser(50))).toBe("wrong");
    expect(await t.attempt(right)).toBe(5);
  });

  it("forgets the failures of an address an hour after the first", async () => {
    t = await startThrottled();
    await t.attemptTimes(49, anyUser);
    t.auth.clock.advance(3_599);
    expect(await t.attempt(anyUser(50))).toBe("wrong");
    expect(await t.attempt(anyUser(51))).toBeGreaterThan(0);
    t.auth.clock.advance(1);
    expect(await t.attempt(anyUser(51))).toBe("wrong");
  });
});

describe("the login throttle", () => {
  it("admits no more of 40 attempts at once than of 40 attempts one after another", async () => {
    t = await startThrottled();
    const results = await Promise.all(Array.from({ length: 40 }, () => t.attempt()));
    expect(results.filter((result) => result === "wrong")).toHaveLength(5);
    expect(results.filter((result) => result === 5)).toHaveLength(35);
  });

  it("does not count attempts whose password could not be verified", async () => {
    t = await startThrottled();
    const error = new StoreUnavailableError("away");
    t.failToVerify(error);
    for (let n = 0; n < 30; n++) await expect(t.attempt()).rejects.toBe(error);
    t.failToVerify(null);
    expect(await t.attemptTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
  });

  it("verifies no password while the store can't count", async () => {
    t = await startThrottled();
    t.failToVerify(new Error("verified a password"));
    await t.auth.store.close();
    await expect(t.attempt(right)).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  it("counts the right password of a user who may not log in like a wrong one", async () => {
    t = await startThrottled({ userAuthenticationRule: () => false });
    expect(await t.attemptTimes(6, () => right)).toEqual([...Array(5).fill("wrong"), 5]);
  });
});

describe("a throttled login", () => {
  it("emits throttled and no login_failed, with the user's id if a user has the name", async () => {
    t = await startThrottled();
    await t.attemptTimes(5);
    t.auth.events.length = 0;
    await t.attempt();
    const { id: userId } = t.auth.user;
    const time = t.auth.clock.now();
    const client = { ip: "192.0.2.1" };
    expect(t.auth.events).toEqual([{ type: "throttled", time, scope: "pair", retryAfter: 5, userId, client }]);
    await t.attemptTimes(6, () => ({ username: "nobody" }));
    const [last] = eventsOf(t.auth, "throttled").slice(-1);
    expect(last).toEqual({ type: "throttled", time, scope: "pair", retryAfter: 5, client });
  });

  it("calls onLoginFailed", async () => {
    const codes: string[] = [];
    t = await startThrottled({ onLoginFailed: ({ code }) => void codes.push(code) });
    await t.attemptTimes(6);
    expect(codes).toEqual([...Array(5).fill("no_active_account"), "throttled"]);
  });

  it("follows the throttling settings; 0 switches a rule off", async () => {
    const settings = { loginFailuresBeforeDelay: 2, accountFailuresBeforeDelay: 3, loginDelay: 60, maxLoginDelay: 100 };
    t = await startThrottled({ ...settings, maxLoginFailures: 5, addressFailuresBeforeDelay: 0 });
    expect(await t.attemptTimes(3)).toEqual(["wrong", "wrong", 60]);
    expect(await t.attempt(fromEverywhere(0))).toBe("wrong");
    expect(await t.attempt(fromEverywhere(1))).toBe(60);
    expect(await t.attemptWithWaits(100, fromEverywhere)).toBe(2);
    expect(await t.attemptTimes(60, (n) => ({ username: `user${n}`, ip: "192.0.2.8" }))).not.toContain(60);
  });

  it("is impossible with every throttling setting at 0, and the store is not asked to count", async () => {
    t = await startThrottled({
      maxLoginFailures: 0,
      loginFailuresBeforeDelay: 0,
      accountFailuresBeforeDelay: 0,
      addressFailuresBeforeDelay: 0,
    });
    t.auth.store.throttle.decide = () => Promise.reject(new Error("counted"));
    expect(await t.attemptTimes(30)).toEqual(Array(30).fill("wrong"));
    expect(await t.attempt(right)).toBe("in");
  });

  it("does not call the application's verifyCredentials, and is counted by username", async () => {
    const user = { id: "7", username: "alice", isActive: true };
    let calls = 0;
    const verifyCredentials = async (_: string, password: string) => {
      calls += 1;
      return password === alice.password ? user : null;
    };
    t = await startThrottled({ verifyCredentials, findUser: async () => user });
    expect(await t.attemptTimes(20)).toEqual([...Array(5).fill("wrong"), ...Array(15).fill(5)]);
    expect(calls).toBe(5);
    await expectRefused(login(t.auth.deps, alice, { client: { ip: "192.0.2.1" } }), "throttled");
    expect(await t.attempt({ ...right, ip: "203.0.113.9" })).toBe("in");
  });
});
