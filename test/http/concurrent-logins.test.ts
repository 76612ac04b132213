import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { readAccountState } from "../../src/flows/throttling/account-state.ts";
import { toKeyOfUser } from "../../src/flows/throttling/unlock.ts";
import { createUser } from "../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { guess, sendFrom } from "./guesses.ts";

let auth: TestAuth;
beforeEach(() => start());
afterEach(() => auth.close());

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  await auth?.close();
  auth = await createTestAuth({ settings: { passwordQueueLimit: 500, ...settings } });
}

/** Sends `passwords` at once, the n-th from `toIp(n)`. Returns the statuses. */
async function logInAtOnce(passwords: readonly string[], toIp: (n: number) => string = () => "192.0.2.1") {
  const attempts = passwords.map((password, n) => guess(sendFrom(auth, toIp(n)), { password }));
  return (await Promise.all(attempts)).map(({ status }) => status);
}

const rights = (times: number) => Array<string>(times).fill(alice.password);
const wrongs = (times: number) => Array<string>(times).fill("wrong");
const count = (statuses: readonly number[], status: number) => statuses.filter((other) => other === status).length;
const failures = async () => (await readAccountState(auth.deps, toKeyOfUser(auth.user.id))).failures;

describe("logins of one account that arrive together", () => {
  it("are all answered 200 if their passwords are right, and leave no failure", async () => {
    expect(await logInAtOnce(rights(20))).toEqual(Array(20).fill(200));
    expect(await failures()).toBe(0);
    expect(await logInAtOnce(rights(20))).toEqual(Array(20).fill(200));
  });

  it("are all answered 200 on an account with four failures", async () => {
    expect(await logInAtOnce(wrongs(4))).toEqual(Array(4).fill(401));
    expect(await logInAtOnce(rights(20))).toEqual(Array(20).fill(200));
    expect(await failures()).toBe(0);
  });

  it("are all answered 200 if only one failure is free", async () => {
    await start({ loginFailuresBeforeDelay: 1 });
    expect(await logInAtOnce(rights(20))).toEqual(Array(20).fill(200));
  });

  it("verify no more wrong passwords than one after another, and then throttle the right one too", async () => {
    const statuses = await logInAtOnce(wrongs(60));
    expect([count(statuses, 401), count(statuses, 429)]).toEqual([5, 55]);
    expect(await failures()).toBe(5);
    expect(await logInAtOnce(rights(1))).toEqual([429]);
  });

  it("verify no more wrong passwords than the account allows, from however many addresses", async () => {
    const statuses = await logInAtOnce(wrongs(60), (n) => `198.51.100.${n}`);
    expect([count(statuses, 401), count(statuses, 429)]).toEqual([20, 40]);
    expect(await failures()).toBe(20);
  });

  it("lock the account at the same number as one after another", async () => {
    await start({ maxLoginFailures: 10, accountFailuresBeforeDelay: 0, loginFailuresBeforeDelay: 0 });
    expect(count(await logInAtOnce(wrongs(60)), 401)).toBe(9);
    expect(await failures()).toBe(9);
    expect(await logInAtOnce(rights(1))).toEqual([429]);
  });

  it("verify at most as many wrong passwords after each right one as an account has free", async () => {
    const statuses = await logInAtOnce([...wrongs(10), ...rights(2), ...wrongs(10)]);
    const successes = count(statuses, 200);
    expect(count(statuses, 401)).toBeLessThanOrEqual(5 * (successes + 1));
    expect(await failures()).toBeLessThanOrEqual(5);
  });

  it("of many accounts from one address are all answered 200 if their passwords are right", async () => {
    const names = Array.from({ length: 60 }, (_, n) => `user${n}`);
    for (const username of names) await createUser(auth.deps, { username, password: alice.password });
    const send = sendFrom(auth, "192.0.2.1");
    const answers = await Promise.all(names.map((username) => guess(send, { username, password: alice.password })));
    expect(answers.map(({ status }) => status)).toEqual(Array(60).fill(200));
  });
});
