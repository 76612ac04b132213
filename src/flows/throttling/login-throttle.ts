import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { AuthUser } from "../../core/user.ts";
import { readDeviceToken } from "../../crypto/device-tokens.ts";
import { toAccountKey } from "../../crypto/throttle-keys.ts";
import type { ThrottleScope } from "../../events/events.ts";
import type { Deps } from "../deps.ts";
import type { LoginCandidate } from "../user-source.ts";
import { type LoginSubject, toCounters } from "./login-counters.ts";
import { type AttemptDecision, type Counter, countFailure, refund } from "./login-rules.ts";
import { reportAccountLimit, reportSuccess } from "./suspicion.ts";

/** Who sent an attempt. */
export interface AttemptSource {
  readonly client: ClientInfo;
  /** The device token that was presented, not yet verified; or the session that asks, which identifies its device. */
  readonly device: { readonly token: string | undefined } | { readonly sessionId: string };
}

/** An attempt that was admitted, and is counted as a failure until it is settled. */
export interface LoginAttempt {
  readonly subject: LoginSubject;
  readonly counters: readonly Counter[];
  /** Failures on the account, this attempt included. */
  readonly failures: number;
}

/**
 * Admits one attempt to prove a password, and counts it as a failure: of many at once, no more than the allowance get
 * through, and a refused one costs no hash. Settle it with `acceptAttempt`, `rejectAttempt` or `undoAttempt`.
 *
 * @throws AuthError `throttled`, with `retryAfter`; StoreUnavailableError.
 */
export async function admitAttempt(
  deps: Deps,
  candidate: LoginCandidate,
  source: AttemptSource,
): Promise<LoginAttempt> {
  const subject = toSubject(deps, candidate, source);
  const counters = toCounters(deps.settings, subject);
  if (counters.length === 0) return { subject, counters, failures: 0 };
  const decision = await deps.store.throttle.decide(
    toKeys(counters),
    (seen) => countFailure(counters, deps.settings, seen),
    { peekFirst: true },
  );
  if (!decision.admitted) throw refuse(deps, decision, subject);
  return { subject, counters, failures: decision.failures.get("account") ?? 0 };
}

/**
 * Settles an attempt with the right password. Clears the failures of the account, and of this device or address on it. The
 * address itself gets only this attempt back: an attacker with one account could otherwise guess at all others.
 */
export async function acceptAttempt(deps: Deps, attempt: LoginAttempt, user: AuthUser): Promise<void> {
  const { counters, subject, failures } = attempt;
  if (counters.length === 0) return;
  await deps.store.throttle.decide(toKeys(counters), (seen) => refund(counters, clearedBySuccess, seen));
  reportSuccess(deps, subject, { user, failures: failures - 1 });
}

const clearedBySuccess: ReadonlySet<ThrottleScope> = new Set(["account", "pair", "device"]);

/** Settles an attempt with a wrong password, or with the right one of a user who may not log in. It stays counted. */
export function rejectAttempt(deps: Deps, { counters, subject, failures }: LoginAttempt): void {
  if (counters.length > 0) reportAccountLimit(deps, subject, failures);
}

/** Settles an attempt whose password could not be judged: it is not counted. Never throws. */
export async function undoAttempt({ store }: Deps, { counters }: LoginAttempt): Promise<void> {
  if (counters.length === 0) return;
  try {
    await store.throttle.decide(toKeys(counters), (seen) => refund(counters, new Set(), seen));
  } catch {
    // It stays counted. The caller must see the error that came before.
  }
}

const toKeys = (counters: readonly Counter[]) => counters.map(({ key }) => key);

function toSubject(
  { deviceKey }: Pick<Deps, "deviceKey">,
  { username, usernameKey, userId, mayBeUser }: LoginCandidate,
  { client, device }: AttemptSource,
): LoginSubject {
  const accountKey = toAccountKey({ userId, usernameKey });
  const deviceId =
    "sessionId" in device
      ? device.sessionId
      : device.token === undefined
        ? null
        : readDeviceToken(deviceKey, usernameKey, device.token);
  return { accountKey, username, userId, mayBeUser, deviceId, client };
}

function refuse(
  { emit }: Deps,
  { scope, retryAfter, time }: Extract<AttemptDecision, { admitted: false }>,
  { userId, client }: LoginSubject,
): AuthError {
  emit({ type: "throttled", time, scope, retryAfter, client, ...(userId === null ? {} : { userId }) });
  return new AuthError("throttled", "login attempts", { retryAfter });
}
