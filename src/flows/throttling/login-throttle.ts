import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { AuthUser } from "../../core/user.ts";
import { readDeviceToken } from "../../crypto/device-tokens.ts";
import { toAccountKey } from "../../crypto/throttle-keys.ts";
import type { ThrottleScope } from "../../events/events.ts";
import type { Deps } from "../deps.ts";
import type { ClaimedAccount } from "../user-source.ts";
import { type LoginSubject, toCounters } from "./login-counters.ts";
import { type AttemptDecision, type Counter, countFailure, refund } from "./login-rules.ts";
import { reportAccountLimit, reportSuccess } from "./suspicion.ts";

/** Who sent an attempt. */
export interface AttemptSource {
  readonly client: ClientInfo;
  /** The device token that was presented, not yet verified; or the session that sent the request. */
  readonly device: { readonly token: string | undefined } | { readonly sessionId: string };
}

/** An attempt that was admitted. It counts as a failure until it is settled. */
export interface LoginAttempt {
  readonly subject: LoginSubject;
  /** What the attempt was counted under; empty if throttling is off. */
  readonly counters: readonly Counter[];
  /** Failures on the account, this attempt included. */
  readonly failures: number;
}

/**
 * Admits one attempt to prove a password, or refuses it. An admitted attempt counts as a failure at once, so that
 * concurrent attempts can't exceed the allowance together. Settle it with `acceptAttempt`, `rejectAttempt` or
 * `undoAttempt`.
 *
 * @throws AuthError `throttled`, with `retryAfter`. StoreUnavailableError.
 */
export async function admitAttempt(deps: Deps, account: ClaimedAccount, source: AttemptSource): Promise<LoginAttempt> {
  const subject = toSubject(deps, account, source);
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
 * Settles an attempt with the right password. Clears the failures of the account, and of this device or address on it.
 * The address itself only gets this attempt back, because an attacker with one account could otherwise guess at all
 * others.
 *
 * @throws StoreUnavailableError; the attempt stays counted.
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

/** Settles an attempt whose password could not be verified: it is no longer counted. Never throws. */
export async function undoAttempt({ store }: Deps, { counters }: LoginAttempt): Promise<void> {
  if (counters.length === 0) return;
  try {
    await store.throttle.decide(toKeys(counters), (seen) => refund(counters, new Set(), seen));
  } catch {
    // The attempt stays counted. The caller must see the earlier error.
  }
}

const toKeys = (counters: readonly Counter[]) => counters.map(({ key }) => key);

function toSubject(
  { deviceKey }: Pick<Deps, "deviceKey">,
  { username, usernameKey, userId, mayBeUser }: ClaimedAccount,
  { client, device }: AttemptSource,
): LoginSubject {
  const accountKey = toAccountKey({ userId, usernameKey });
  const deviceId = "sessionId" in device ? device.sessionId : readDeviceId(deviceKey, usernameKey, device.token);
  return { accountKey, username, userId, mayBeUser, deviceId, client };
}

function readDeviceId(deviceKey: Uint8Array, usernameKey: string, token: string | undefined): string | null {
  return token === undefined ? null : readDeviceToken(deviceKey, usernameKey, token);
}

/** Emits that the attempt was throttled. @returns the error to throw. */
function refuse(
  { emit }: Deps,
  { scope, retryAfter, time }: Extract<AttemptDecision, { admitted: false }>,
  { userId, client }: LoginSubject,
): AuthError {
  emit({ type: "throttled", time, scope, retryAfter, client, ...(userId === null ? {} : { userId }) });
  return new AuthError("throttled", "login attempts", { retryAfter });
}
