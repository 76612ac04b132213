import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { CountSnapshot, CountVerdict } from "../../core/store/throttle.ts";
import type { AuthUser } from "../../core/user.ts";
import { deviceTokenLifetime, type KnownDevice, openDeviceToken } from "../../crypto/device-tokens.ts";
import { toAccountKey } from "../../crypto/throttle-keys.ts";
import type { ThrottleScope } from "../../events/events.ts";
import type { Deps } from "../deps.ts";
import type { ClaimedAccount } from "../users/user-source.ts";
import { type LoginSubject, toCounters } from "./login-counters.ts";
import {
  type AttemptDecision,
  type Counter,
  countFailure,
  passFirstStep,
  refund,
  settleFailure,
  toKeys,
} from "./login-rules.ts";
import { reportAccountLimit, reportSuccess } from "./suspicion.ts";

/** Who sent an attempt. */
export interface AttemptSource {
  readonly client: ClientInfo;
  /** The device token that was presented, not yet verified, or the session that sent the request. */
  readonly device: { readonly token: string | undefined } | { readonly sessionId: string };
}

/** An attempt that was admitted. It counts as a failure until its result is recorded: until then, it is "not settled". */
export interface LoginAttempt {
  readonly subject: LoginSubject;
  /** The counters that counted the attempt. Empty if throttling is off. */
  readonly counters: readonly Counter[];
  /** The number of failures on the account, including this attempt and other attempts that are not settled yet. */
  readonly failures: number;
  /** The number of failures on the account before this attempt. */
  readonly failuresBefore: number;
}

/**
 * Admits or refuses one attempt to prove a password. An admitted attempt immediately counts as a failure, so that
 * concurrent attempts can't exceed the limit together. Settle it with `acceptAttempt`, `rejectAttempt` or `undoAttempt`.
 *
 * @throws AuthError `throttled`, with `retryAfter`.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function admitAttempt(deps: Deps, account: ClaimedAccount, source: AttemptSource): Promise<LoginAttempt> {
  const subject = await toSubject(deps, account, source);
  const counters = toCounters(deps.settings, subject);
  if (counters.length === 0) return { subject, counters, failures: 0, failuresBefore: 0 };
  const decision = await decideInTurn(deps, counters);
  if (!decision.admitted) throw refuse(deps, decision, subject);
  const [failures = 0, failuresBefore = 0] = [decision.failures.get("account"), decision.settled.get("account")];
  return { subject, counters, failures, failuresBefore };
}

/**
 * Counts an attempt, or refuses it. If the limit is reached only because of attempts that are not settled yet, it waits for
 * them. So correct passwords that arrive at the same time are all admitted.
 */
async function decideInTurn({ store, settings, loginQueue }: Deps, counters: readonly Counter[]) {
  let endTurn: (() => void) | null = null;
  try {
    for (let looks = 1; ; looks += 1) {
      const decision = await store.throttle.decide(toKeys(counters), (seen) => countFailure(counters, settings, seen), {
        peekFirst: true,
      });
      if (decision.admitted || decision.waitsFor === null || looks === maxLooks) return decision;
      if (endTurn !== null) await loginQueue.pause(decision.waitsFor);
      else endTurn = await loginQueue.enter(decision.waitsFor);
      if (endTurn === null) return decision;
    }
  } finally {
    endTurn?.();
  }
}

/** How often a waiting attempt checks whether it can be admitted. This takes at most 10 seconds. */
const maxLooks = 200;

/**
 * Settles an attempt with the correct password. Clears the failures of the account, and those of this device or address on
 * the account. For the address as a whole, it takes back only this attempt. Otherwise, an attacker who has one account
 * could guess the passwords of all others.
 *
 * @throws StoreUnavailableError if the store can't answer. In that case, the attempt stays counted.
 */
export async function acceptAttempt(deps: Deps, attempt: LoginAttempt, user: AuthUser): Promise<void> {
  const { counters, subject, failuresBefore } = attempt;
  if (counters.length === 0) return;
  await settle(deps, counters, (seen) => refund(counters, clearedBySuccess, seen));
  reportSuccess(deps, subject, { user, failures: failuresBefore });
}

const clearedBySuccess: ReadonlySet<ThrottleScope> = new Set(["account", "pair", "device"]);

/**
 * Settles an attempt with a wrong password, or with the correct password of a user who may not log in. The attempt stays
 * counted. Never throws.
 */
export async function rejectAttempt(deps: Deps, { counters, subject, failures }: LoginAttempt): Promise<void> {
  if (counters.length === 0) return;
  reportAccountLimit(deps, subject, failures);
  try {
    await settle(deps, counters, (seen) => settleFailure(counters, seen));
  } catch {
    // The attempt is counted already. It only counts as not settled for a minute more.
  }
}

/**
 * Settles an attempt with the right password that needs a second step. It is no longer counted. The failures of the account stay:
 * otherwise someone who knows the password could clear them, and guess at the second step for ever. Never throws.
 */
export async function passAttempt(deps: Deps, { counters }: LoginAttempt): Promise<void> {
  if (counters.length === 0) return;
  try {
    await settle(deps, counters, (seen) => passFirstStep(counters, deps.settings, seen));
  } catch {
    // The attempt stays counted, so that the second step may have to wait.
  }
}

/** Settles an attempt whose password could not be verified: it is no longer counted. Never throws. */
export async function undoAttempt(deps: Deps, { counters }: LoginAttempt): Promise<void> {
  if (counters.length === 0) return;
  try {
    await settle(deps, counters, (seen) => refund(counters, new Set(), seen));
  } catch {
    // The attempt stays counted. The caller must see the earlier error.
  }
}

async function settle(
  { store, loginQueue }: Deps,
  counters: readonly Counter[],
  decide: (snapshot: CountSnapshot) => CountVerdict<null>,
): Promise<void> {
  try {
    await store.throttle.decide(toKeys(counters), decide);
  } finally {
    loginQueue.wake(counters.map(({ key }) => key));
  }
}

async function toSubject(
  deps: Deps,
  account: ClaimedAccount,
  { client, device }: AttemptSource,
): Promise<LoginSubject> {
  const { username, usernameKey, userId, mayBeUser } = account;
  const accountKey = toAccountKey({ userId, usernameKey });
  const deviceId = "sessionId" in device ? device.sessionId : await findDeviceId(deps, account, device.token);
  return { accountKey, username, userId, mayBeUser, deviceId, client };
}

/**
 * Returns the id of a known device. Returns `null` if the token is not genuine, has expired, or is older than the user's
 * epoch.
 */
async function findDeviceId(
  { keys, clock, store, users }: Deps,
  { usernameKey, userId }: ClaimedAccount,
  token: string | undefined,
): Promise<string | null> {
  const device = token === undefined ? null : openWithAny(keys.current().deviceKeys, usernameKey, token);
  if (device === null || clock.now() >= device.issuedAt + deviceTokenLifetime) return null;
  if (users.isOwn && device.userId !== userId) return null;
  const user = await store.users.findById(device.userId);
  return user?.epoch === device.userEpoch ? device.id : null;
}

function openWithAny(deviceKeys: readonly Uint8Array[], usernameKey: string, token: string): KnownDevice | null {
  for (const deviceKey of deviceKeys) {
    const device = openDeviceToken(deviceKey, usernameKey, token);
    if (device !== null) return device;
  }
  return null;
}

/**
 * Emits the event that the attempt was throttled.
 *
 * @returns the error to throw.
 */
function refuse(
  { emit }: Deps,
  { scope, retryAfter, time }: Extract<AttemptDecision, { admitted: false }>,
  { userId, client }: LoginSubject,
): AuthError {
  emit({ type: "throttled", time, scope, retryAfter, client, ...(userId === null ? {} : { userId }) });
  return new AuthError("throttled", "login attempts", { retryAfter });
}
