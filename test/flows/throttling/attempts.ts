import { AuthError } from "../../../src/core/errors.ts";
import { type LoggedIn, login } from "../../../src/flows/login.ts";
import { createUser } from "../../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, type TestAuthOptions } from "../../support/auth.ts";

/** Seconds. Also what a locked account answers as `retryAfter`. */
export const day = 86_400;

/** The second user. */
export const bob = { username: "bob", password: "another good password" };

/** The right password for alice. */
export const right = { password: alice.password };

/** One attempt to log in. By default as alice, with a wrong password, from one address and an unknown device. */
export interface Attempt {
  readonly username?: string;
  readonly password?: string;
  readonly ip?: string;
  readonly device?: string;
}

/** Returns the n-th of many attempts, each from another address. */
export const fromEverywhere = (n: number): Attempt => ({ ip: `198.51.${n >> 8}.${n & 255}` });

export type Throttled = Awaited<ReturnType<typeof startThrottled>>;

/** Starts with the users alice and bob, and with the means to try passwords. */
export async function startThrottled(settings: TestAuthOptions["settings"] = {}) {
  const auth: TestAuth = await createTestAuth({ settings });
  await createUser(auth.deps, bob);
  let { deps } = auth;

  /**
   * Attempts to log in. Returns "in", "wrong", or the seconds for which the attempt is throttled. Throws other errors.
   */
  async function attempt({ username = "alice", password = "wrong", ip = "192.0.2.1", device }: Attempt = {}) {
    try {
      await login(deps, { username, password }, { client: { ip }, device });
      return "in";
    } catch (error) {
      if (error instanceof AuthError && error.code === "throttled") return error.retryAfter;
      if (error instanceof AuthError && error.code === "no_active_account") return "wrong";
      throw error;
    }
  }

  return {
    auth,
    attempt,

    /** Makes `times` attempts one after another and returns their results. */
    async attemptTimes(times: number, toAttempt: (n: number) => Attempt = () => ({})) {
      const results = [];
      for (let n = 0; n < times; n++) results.push(await attempt(toAttempt(n)));
      return results;
    },

    /** Makes attempts, and waits whenever one is throttled, until `times` were verified or the account is locked. */
    async attemptWithWaits(times: number, toAttempt: (n: number) => Attempt = () => ({})): Promise<number> {
      for (let n = 0; n < times; ) {
        const result = await attempt(toAttempt(n));
        if (result === day) return n;
        if (typeof result === "number") auth.clock.advance(result);
        else n += 1;
      }
      return times;
    },

    /** Logs alice in from an address of her own. */
    logIn: (): Promise<LoggedIn> => login(auth.deps, alice, { client: { ip: "203.0.113.9" } }),

    /** From now on, verifying a password fails with this error; with `null`, it works again. */
    failToVerify(error: Error | null): void {
      const verify = () => Promise.reject(error);
      deps = error === null ? auth.deps : { ...auth.deps, users: { ...auth.deps.users, verify } };
    },
  };
}
