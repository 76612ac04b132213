import { AuthError } from "../../core/errors.ts";
import type { RequestOrigin, ThrottleScope } from "../../core/events.ts";
import type { Counted } from "../../core/throttle-store.ts";
import type { AuthUser } from "../../core/user.ts";
import { toUsernameKey } from "../../core/username.ts";
import { readDeviceToken } from "../../crypto/device-tokens.ts";
import { toAccountKey } from "../../crypto/throttle-keys.ts";
import type { Deps } from "../deps.ts";
import { type Guesser, toCounters } from "./login-counters.ts";
import { type Admission, type Counter, countFailure, takeBack } from "./login-rules.ts";
import { reportAccountLimit, reportSuccess } from "./suspicion.ts";

/** An attempt to prove with a password who one is. */
export interface PasswordAttempt {
  readonly username: string;
  readonly origin: RequestOrigin;
  /** The device token that was presented, not verified yet; or the session that asks, by which its device is known. */
  readonly device: { readonly token: string | undefined } | { readonly sessionId: string };
}

/**
 * Lets `check` look at a password as one counted attempt; it is told the id of the user of our table who has the name. It is counted as a failure before `check` is called, so that of
 * many at once no more than the allowance get through, and a refused one costs no hash. `check` fulfils with the user where
 * the password is right: then what is counted of the account, and of this device or address on it, is forgotten, and the
 * address gets its attempt back. `null` and `no_active_account` stay counted; any other error is no answer about the
 * password, and is taken back.
 *
 * @throws AuthError `throttled`, with `retryAfter`; what `check` throws. StoreUnavailableError: `check` was not called, or
 * its answer is not given.
 */
export async function countAttempt<T extends { readonly user: AuthUser }>(
  deps: Deps,
  attempt: PasswordAttempt,
  check: (userId: string | null) => Promise<T | null>,
): Promise<T | null> {
  const guesser = await identify(deps, attempt);
  const counters = toCounters(deps.settings, guesser);
  if (counters.length === 0) return check(guesser.userId);
  const keys = counters.map(({ key }) => key);

  const count = (seen: Counted) => countFailure(counters, deps.settings, seen);
  const admission = await deps.store.throttle.decide(keys, count, { looksFirst: true });
  if (!admission.admitted) throw refuse(deps, admission, attempt, guesser);
  const failures = admission.failures.get("account") ?? 0;

  const found = await check(guesser.userId).catch(async (error: unknown) => {
    if (!isWrong(error)) await giveBack(deps, counters);
    else reportAccountLimit(deps, attempt, guesser, failures);
    throw error;
  });
  if (found === null) {
    reportAccountLimit(deps, attempt, guesser, failures);
    return null;
  }
  await deps.store.throttle.decide(keys, (seen) => takeBack(counters, forgottenBySuccess, seen));
  reportSuccess(deps, attempt, guesser, { user: found.user, failures: failures - 1 });
  return found;
}

/** Not the address: whoever has one account could guess at all the others for ever. */
const forgottenBySuccess: ReadonlySet<ThrottleScope> = new Set(["account", "pair", "device"]);

async function identify(
  { settings, store, users, deviceKey }: Deps,
  { username, origin, device }: PasswordAttempt,
): Promise<Guesser> {
  const usernameKey = toUsernameKey(username, settings.usernameCaseSensitive);
  const userId = users.isOwn ? ((await store.users.findByKey(usernameKey))?.id ?? null) : null;
  const deviceId =
    "sessionId" in device
      ? device.sessionId
      : device.token === undefined
        ? null
        : readDeviceToken(deviceKey, usernameKey, device.token);
  return {
    accountKey: toAccountKey({ userId, usernameKey }),
    userId,
    mayBeUser: userId !== null || !users.isOwn,
    deviceId,
    ip: origin.ip,
  };
}

/** Whether `check` has found the password wrong, or right and of no use. */
function isWrong(error: unknown): boolean {
  return error instanceof AuthError && error.code === "no_active_account";
}

async function giveBack({ store }: Deps, counters: readonly Counter[]): Promise<void> {
  const keys = counters.map(({ key }) => key);
  try {
    await store.throttle.decide(keys, (seen) => takeBack(counters, new Set(), seen));
  } catch {
    // It stays counted. What `check` has thrown is what the caller must know.
  }
}

function refuse(
  { emit }: Deps,
  { scope, retryAfter, time }: Extract<Admission, { admitted: false }>,
  { origin }: PasswordAttempt,
  { userId }: Guesser,
): AuthError {
  emit({ type: "throttled", time, scope, retryAfter, origin, ...(userId === null ? {} : { userId }) });
  return new AuthError("throttled", "login attempts", { retryAfter });
}
