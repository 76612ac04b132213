import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { type LoggedIn, login } from "../../../src/flows/login.ts";
import { createUser } from "../../../src/flows/users.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { eventsOf, expectRefused } from "../flow.ts";

let auth: TestAuth;
let deps: TestAuth["deps"];

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings });
  deps = auth.deps;
  await createUser(auth.deps, { username: "bob", password: "another good password" });
}
afterEach(() => auth.close());

/** From now on, whoever looks at a password meets this error. */
function failToVerify(error: Error): void {
  deps = { ...deps, users: { ...deps.users, verify: () => Promise.reject(error) } };
}

const day = 86_400;

interface Guess {
  readonly username?: string;
  readonly password?: string;
  readonly ip?: string;
  readonly device?: string;
}

/** One attempt to log in as alice: "in", "wrong", or the seconds for which it is throttled. */
async function guess({ username = "alice", password = "wrong", ip = "192.0.2.1", device }: Guess = {}) {
  try {
    await login(deps, { username, password }, { client: { ip }, device });
    return "in";
  } catch (error) {
    const { code, retryAfter } = error as { code: string; retryAfter?: number };
    return code === "throttled" ? retryAfter : code === "no_active_account" ? "wrong" : code;
  }
}

async function guessTimes(times: number, toGuess: (n: number) => Guess = () => ({})) {
  const answers = [];
  for (let n = 0; n < times; n++) answers.push(await guess(toGuess(n)));
  return answers;
}

/** Guesses on, waiting as long as it is told, until `times` have been looked at or it is told to wait a day. */
async function guessPatiently(times: number, toGuess: (n: number) => Guess = () => ({})): Promise<number> {
  for (let n = 0; n < times; ) {
    const answer = await guess(toGuess(n));
    if (answer === day) return n;
    if (typeof answer === "number") auth.clock.advance(answer);
    else n += 1;
  }
  return times;
}

const everywhere = (n: number): Guess => ({ ip: `198.51.${n >> 8}.${n & 255}` });
const right = { password: alice.password };
const logIn = (ip = "203.0.113.9"): Promise<LoggedIn> => login(auth.deps, alice, { client: { ip } });

describe("guessing at one account from one address", () => {
  it("is free five times, then delayed for 5 s, and twice as long with every failure, up to 15 minutes", async () => {
    await start();
    expect(await guessTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
    const delays = [];
    for (let n = 0; n < 10; n++) {
      const wait = await guess();
      delays.push(wait);
      auth.clock.advance(Number(wait) - 1);
      expect(await guess()).toBe(1);
      auth.clock.advance(1);
      expect(await guess()).toBe("wrong");
    }
    expect(delays).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
  });

  it("is refused with the right password too, and costs no hash", async () => {
    await start();
    await guessTimes(5);
    failToVerify(new Error("looked at a password"));
    expect(await guess(right)).toBe(5);
  });

  it("delays nobody else on the account, and does not delay the address on other accounts", async () => {
    await start();
    await guessTimes(5);
    expect(await guess({ ...right, ip: "203.0.113.9" })).toBe("in");
    expect(await guess({ username: "bob", password: "another good password" })).toBe("in");
  });

  it("counts an IPv6 client by its /64, and IPv4 written as IPv6 as IPv4", async () => {
    await start();
    await guessTimes(5, (n) => ({ ip: `2001:db8:0:1::${n}` }));
    expect(await guess({ ip: "2001:db8:0:1:ffff::1" })).toBe(5);
    expect(await guess({ ip: "2001:db8:0:2::1" })).toBe("wrong");
    await guessTimes(5, () => ({ username: "bob", ip: "::ffff:192.0.2.77" }));
    expect(await guess({ username: "bob", ip: "192.0.2.77" })).toBe(5);
  });

  it("tells nothing of whether the name is a user's", async () => {
    await start();
    const known = await guessTimes(8);
    expect(await guessTimes(8, () => ({ username: "nobody", ip: "192.0.2.2" }))).toEqual(known);
  });

  it("counts every spelling of a name as one", async () => {
    await start();
    await guessTimes(5, (n) => ({ username: ["alice", "ALICE", " Alice\t", "\uff41lice", "aLICE"][n] ?? "" }));
    expect(await guess()).toBe(5);
  });

  it("starts afresh after a success", async () => {
    await start();
    await guessTimes(4);
    expect(await guess(right)).toBe("in");
    expect(await guessTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
  });

  it("is forgotten after a day without a failure", async () => {
    await start();
    await guessPatiently(9);
    auth.clock.advance(day);
    expect(await guessTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
  });
});

describe("guessing at one account from many addresses", () => {
  it("is delayed for all of them after 20 failures", async () => {
    await start();
    expect(await guessTimes(22, everywhere)).toEqual([...Array(20).fill("wrong"), 5, 5]);
    auth.clock.advance(5);
    expect(await guess(everywhere(300))).toBe("wrong");
    expect(await guess(everywhere(301))).toBe(10);
  });

  it.each(["alice", "nobody"])("ends after 90 failures, for good: %s", async (username) => {
    await start();
    expect(await guessPatiently(1_000, (n) => ({ ...everywhere(n), username }))).toBe(90);
    auth.clock.advance(60 * day);
    expect(await guess({ ...everywhere(2_000), username, ...right })).toBe(day);
  });

  it("does not end earlier for a user whatever time passes, and a name that nobody has is forgotten", async () => {
    await start();
    await guessPatiently(90, everywhere);
    await guessPatiently(90, (n) => ({ ...everywhere(n), username: "nobody" }));
    auth.clock.advance(5 * 365 * day);
    expect(await guess(everywhere(2_000))).toBe(day);
    expect(await guess({ ...everywhere(2_000), username: "nobody" })).toBe("wrong");
  });

  it("begins again at nothing after a success", async () => {
    await start();
    await guessPatiently(30, everywhere);
    auth.clock.advance(day);
    expect(await guess({ ...right, ip: "203.0.113.9" })).toBe("in");
    expect(await guessTimes(20, everywhere)).toEqual(Array(20).fill("wrong"));
  });

  it("does not lock a user who is created later under the name", async () => {
    await start();
    await guessPatiently(90, (n) => ({ ...everywhere(n), username: "carol" }));
    await createUser(auth.deps, { username: "carol", password: "yet another password" });
    expect(await guess({ username: "carol", password: "yet another password", ip: "203.0.113.9" })).toBe("in");
  });
});

describe("guessing at many accounts from one address", () => {
  const everybody = (n: number): Guess => ({ username: `user${n}` });

  it("is delayed after 50 failures within the hour, on every account", async () => {
    await start();
    expect(await guessTimes(51, everybody)).toEqual([...Array(50).fill("wrong"), 5]);
    expect(await guess(right)).toBe(5);
    expect(await guess({ ...right, ip: "192.0.2.2" })).toBe("in");
  });

  it("is not freed by a success on an account of one's own, which only takes its own attempt back", async () => {
    await start();
    await guessTimes(49, everybody);
    for (let n = 0; n < 5; n++) expect(await guess(right)).toBe("in");
    expect(await guess(everybody(50))).toBe("wrong");
    expect(await guess(right)).toBe(5);
  });

  it("is forgotten an hour after its first failure, however it went on", async () => {
    await start();
    await guessTimes(49, everybody);
    auth.clock.advance(3_599);
    expect(await guess(everybody(50))).toBe("wrong");
    expect(await guess(everybody(51))).toBeGreaterThan(0);
    auth.clock.advance(1);
    expect(await guess(everybody(51))).toBe("wrong");
  });
});

describe("a device that has logged in before", () => {
  it("is let in while strangers have locked the account", async () => {
    await start();
    const { device } = await logIn();
    expect(await guessPatiently(1_000, everywhere)).toBe(90);
    expect(await guess({ ...right, ip: "203.0.113.9" })).toBe(day);
    expect(await guess({ ...right, ip: "203.0.113.9", device })).toBe("in");
  });

  it("is let in from an address from which others guess", async () => {
    await start();
    const { device } = await logIn();
    await guessTimes(51, (n) => ({ username: `user${n}`, ip: "203.0.113.9" }));
    expect(await guess({ ...right, ip: "203.0.113.9", device })).toBe("in");
  });

  it("has an allowance of its own, of five failures before its delays begin", async () => {
    await start();
    const { device } = await logIn();
    expect(await guessTimes(6, () => ({ device }))).toEqual([...Array(5).fill("wrong"), 5]);
    expect(await guess({ ...right, ip: "192.0.2.1" })).toBe("in");
  });

  it("shares the account's last ten failures with the other known devices: never more than 100 in all", async () => {
    await start();
    const devices = [(await logIn()).device, (await logIn()).device];
    await guessPatiently(1_000, everywhere);
    const known = await guessPatiently(1_000, (n) => ({ device: devices[n % 2] ?? "" }));
    expect(known).toBe(10);
    expect(await guess({ ...right, device: devices[0] ?? "" })).toBe(day);
  });

  it("is no device of another user's, and cannot be forged", async () => {
    await start();
    const { device } = await login(auth.deps, { username: "bob", password: "another good password" });
    const { device: own } = await logIn();
    await guessPatiently(90, everywhere);
    const [id = "", signature = ""] = own.split(".");
    const forged = [
      device,
      `${id}.${"A".repeat(43)}`,
      `${"A".repeat(22)}.${signature}`,
      id,
      `${own}x`,
      "",
      "é".repeat(66),
    ];
    for (const token of forged) expect(await guess({ ...right, device: token })).toBe(day);
    expect(await guess({ ...right, device: own })).toBe("in");
  });

  it("shows a stranger nothing: what it is given has neither the name nor the id in it", async () => {
    await start();
    const { device } = await logIn();
    expect(device).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
    expect((await logIn()).device).not.toBe(device);
  });
});

describe("many guesses at once", () => {
  it("do not slip past the limit together", async () => {
    await start();
    const answers = await Promise.all(Array.from({ length: 40 }, () => guess()));
    expect(answers.filter((answer) => answer === "wrong")).toHaveLength(5);
    expect(answers.filter((answer) => answer === 5)).toHaveLength(35);
  });
});

describe("what is no answer about the password", () => {
  it("is not counted", async () => {
    await start();
    failToVerify(new StoreUnavailableError("away"));
    for (let n = 0; n < 30; n++) await guess();
    deps = auth.deps;
    expect(await guessTimes(6)).toEqual([...Array(5).fill("wrong"), 5]);
  });

  it("without a store that counts, nobody gets to guess", async () => {
    await start();
    failToVerify(new Error("looked at a password"));
    await auth.store.close();
    await expect(login(deps, alice)).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  it("a right password of a user who may not log in counts as a wrong one", async () => {
    await start({ userAuthenticationRule: () => false });
    expect(await guessTimes(6, () => right)).toEqual([...Array(5).fill("wrong"), 5]);
  });
});

describe("throttling", () => {
  it("is an event, with the user where there is one, and not a failed login", async () => {
    await start();
    await guessTimes(5);
    auth.events.length = 0;
    await guess();
    const { id: userId } = auth.user;
    const time = auth.clock.now();
    const client = { ip: "192.0.2.1" };
    expect(auth.events).toEqual([{ type: "throttled", time, scope: "pair", retryAfter: 5, userId, client }]);
    await guessTimes(6, () => ({ username: "nobody" }));
    expect(eventsOf(auth, "throttled").at(-1)).toEqual({
      type: "throttled",
      time,
      scope: "pair",
      retryAfter: 5,
      client,
    });
  });

  it("is told to onLoginFailed", async () => {
    const codes: string[] = [];
    await start({ onLoginFailed: ({ code }) => void codes.push(code) });
    await guessTimes(6);
    expect(codes).toEqual([...Array(5).fill("no_active_account"), "throttled"]);
  });

  it("follows the settings, and 0 switches a rule off", async () => {
    const settings = { loginFailuresBeforeDelay: 2, accountFailuresBeforeDelay: 3, loginDelay: 60, maxLoginDelay: 100 };
    await start({ ...settings, maxLoginFailures: 5, addressFailuresBeforeDelay: 0 });
    expect(await guessTimes(3)).toEqual(["wrong", "wrong", 60]);
    expect(await guess(everywhere(0))).toBe("wrong");
    expect(await guess(everywhere(1))).toBe(60);
    expect(await guessPatiently(100, everywhere)).toBe(2);
    expect(await guessTimes(60, (n) => ({ username: `user${n}`, ip: "192.0.2.8" }))).not.toContain(60);
  });

  it("with every number 0 asks the store for nothing", async () => {
    await start({
      maxLoginFailures: 0,
      loginFailuresBeforeDelay: 0,
      accountFailuresBeforeDelay: 0,
      addressFailuresBeforeDelay: 0,
    });
    auth.store.throttle.decide = () => Promise.reject(new Error("counted"));
    expect(await guessTimes(30)).toEqual(Array(30).fill("wrong"));
    expect(await guess(right)).toBe("in");
  });

  it("guards an application's own verifyCredentials, by the name", async () => {
    const user = { id: "7", username: "alice", isActive: true };
    let asked = 0;
    const verifyCredentials = async (_: string, password: string) => {
      asked += 1;
      return password === alice.password ? user : null;
    };
    await start({ verifyCredentials, findUser: async () => user });
    expect(await guessTimes(20)).toEqual([...Array(5).fill("wrong"), ...Array(15).fill(5)]);
    expect(asked).toBe(5);
    await expectRefused(login(auth.deps, alice, { client: { ip: "192.0.2.1" } }), "throttled");
    expect(await guess({ ...right, ip: "203.0.113.9" })).toBe("in");
  });
});
