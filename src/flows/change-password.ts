import type { TokenPair } from "../core/claims.ts";
import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { SessionSnapshot, Verdict } from "../core/store/sessions.ts";
import type { KeepSession } from "../core/store/users.ts";
import type { UserWithPassword } from "../core/user.ts";
import { toUsernameKey } from "../core/username.ts";
import { createSecret, deriveChangeSecret, hashIdempotencyKey, hashSecret, isSameHash } from "../crypto/secrets.ts";
import { requireNoActor } from "./actor.ts";
import { type Confirmed, type ConfirmOptions, commitRevocation, toConfirmed } from "./commit.ts";
import type { Deps } from "./deps.ts";
import { toDeviceToken } from "./device.ts";
import { reportLoginFailure } from "./login.ts";
import type { SessionOwner } from "./logout.ts";
import { requireGoodPassword } from "./passwords/policy.ts";
import { normalizePassword, verifyPassword } from "./passwords/text.ts";
import { findSessionRefusal } from "./session-refusal.ts";
import { countAttempt } from "./throttling/counted-attempt.ts";
import { type PairSource, prepareTokens, type TokenLimitOptions } from "./token-pair.ts";
import { userChangedAndRevoked } from "./users.ts";

/** The user's request to change the password. */
export interface PasswordChange {
  /** The user who sent the request. */
  readonly userId: string;
  /**
   * The session that sent the request. It continues with a new pair of tokens, and the user's other sessions are revoked.
   */
  readonly sessionId: string;
  /** The current password, used exactly as given. */
  readonly currentPassword: string;
  /** The new password. The password policy checks it. */
  readonly newPassword: string;
}

/** The options of a password change. */
export interface PasswordChangeOptions extends ConfirmOptions {
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo | undefined;
  /**
   * The client's `Idempotency-Key`, which the client creates before the first attempt and repeats with every retry. A retry
   * with the same key gets the same pair again. Default: none.
   */
  readonly idempotencyKey?: string | undefined;
}

/** The session that changed the password of its user, with its new pair of tokens. */
export interface PasswordChanged extends Confirmed {
  /** The session's row. */
  readonly session: Session;
  /** The session's new pair. */
  readonly pair: TokenPair;
  /** A new token that marks the device as known. Tokens from before the change are no longer valid. */
  readonly device: string;
}

/**
 * Changes the password of the user who sent the request, in tokenpair's own user table. A wrong current password counts as a failed login.
 *
 * @throws AuthError `user_not_found`; `password_refused`, whose `reason` is a sentence for the user; `throttled`, with
 * `retryAfter`; `wrong_password`; `impersonated`; `token_revoked` if a reset, a disable or a logout came first; `unavailable`.
 * StoreUnavailableError. If it throws, password and sessions have not changed.
 */
export async function changePassword(
  deps: Deps,
  change: PasswordChange,
  { client = {}, tokenLimits, idempotencyKey, confirmed }: PasswordChangeOptions & TokenLimitOptions = {},
): Promise<PasswordChanged> {
  const { userId, sessionId, newPassword } = change;
  const isConfirmed = confirmed ?? deps.settings.confirmRevocations;
  if (idempotencyKey !== undefined) {
    const repeat = { idempotencyKey, tokenLimits, confirmed: isConfirmed };
    const repeated = await repeatPasswordChange(deps, { sessionId, userId }, repeat);
    if (repeated !== null) return repeated;
  }
  await requireNoActor(deps, sessionId);
  const row = await deps.store.users.findById(userId);
  if (row === null) throw new AuthError("user_not_found", "no such user");
  const { passwordHash: _, ...user } = row;
  await requireGoodPassword(deps.settings, newPassword, user.username);
  try {
    await verifyCurrentPassword(deps, change, { row, client });
  } catch (error) {
    await reportLoginFailure(deps, error, { userId, sessionId, client });
    throw error;
  }

  const tokens = await prepareTokens(deps, user, { tokenLimits });
  const secret =
    idempotencyKey === undefined
      ? createSecret(deps.random)
      : deriveChangeSecret(idempotencyKey, sessionId, user.epoch + 1);
  const keep: KeepSession = {
    sessionId,
    userEpoch: user.epoch,
    nextHash: hashSecret(secret),
    changeHash: idempotencyKey === undefined ? null : hashIdempotencyKey(idempotencyKey),
    idleLifetime: deps.settings.refreshTokenLifetime,
    accessLifetime: deps.settings.accessTokenLifetime,
  };
  // The change raises the epoch by one, from the one under which the current password was verified.
  const device = toDeviceToken(deps, user, { userEpoch: user.epoch + 1 });
  const hash = await deps.passwords.hash(normalizePassword(newPassword));
  const changed = await commitRevocation(
    deps,
    isConfirmed,
    userChangedAndRevoked({ userId, sessionId, change: "password_changed", reason: "password_changed", client }),
    (options) => deps.store.users.changePassword(userId, hash, keep, options),
  );
  if (changed === null) throw new AuthError("token_revoked", "the session or the password changed meanwhile");
  return { session: changed.session, pair: tokens.mintPair({ ...changed, secret }), device, ...toConfirmed(changed) };
}

/**
 * Answers a repeated request to change a password. The client has lost the first answer and sends the request again with
 * the same idempotency key. The current password isn't checked, because it has already changed.
 *
 * @returns the same refresh token as the first time. `null` if the session's last change had a different key, or if the
 * session has been refreshed since. A refresh proves that the client got the first answer.
 * @throws AuthError `unavailable` if the token can't be created.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function repeatPasswordChange(
  deps: Deps,
  { sessionId, userId }: SessionOwner,
  {
    idempotencyKey,
    tokenLimits,
    confirmed = deps.settings.confirmRevocations,
  }: { readonly idempotencyKey: string } & ConfirmOptions & TokenLimitOptions,
): Promise<PasswordChanged | null> {
  const found = await deps.store.sessions.find(sessionId);
  if (!isSameHash(found?.session.changeHash ?? null, hashIdempotencyKey(idempotencyKey))) return null;
  const user = (await deps.users.find(userId))?.user;
  if (user === undefined) return null;
  const tokens = await prepareTokens(deps, user, { tokenLimits });
  const { accessTokenLifetime } = deps.settings;
  const { result } = await deps.store.sessions.decide(sessionId, (snapshot) =>
    decideRepeat(snapshot, { userId, idempotencyKey, accessTokenLifetime }),
  );
  if (result === null) return null;
  const { session } = result;
  const device = toDeviceToken(deps, user, { userEpoch: session.userEpoch });
  // The confirmation of the first request is lost with its answer.
  return { session, pair: tokens.mintPair(result), device, ...(confirmed ? { confirmed: "pending" } : {}) };
}

interface Repeat {
  readonly userId: string;
  readonly idempotencyKey: string;
  /** How long the access token is valid, in seconds. */
  readonly accessTokenLifetime: number;
}

/** Decides about a repeated request while the row is locked. Pure. */
function decideRepeat(
  snapshot: SessionSnapshot | null,
  { userId, idempotencyKey, accessTokenLifetime }: Repeat,
): Verdict<PairSource | null> {
  if (snapshot === null || findSessionRefusal(snapshot) !== null) return { result: null };
  const { session, now, globalEpoch } = snapshot;
  const isSame = session.userId === userId && isSameHash(session.changeHash, hashIdempotencyKey(idempotencyKey));
  const secret = deriveChangeSecret(idempotencyKey, session.id, session.userEpoch);
  if (!isSame || !isSameHash(session.currentHash, hashSecret(secret))) return { result: null };
  const accessUntil = Math.min(now + accessTokenLifetime, session.absoluteExpiresAt);
  const result = { session, now, globalEpoch, secret, accessUntil };
  return accessUntil > (session.accessUntil ?? 0) ? { result, accessUntil } : { result };
}

/**
 * Verifies the current password. The attempt is counted like a login.
 *
 * @throws AuthError `wrong_password`, `throttled` or `unavailable`.
 */
async function verifyCurrentPassword(
  deps: Deps,
  { sessionId, currentPassword }: PasswordChange,
  { row, client }: { readonly row: UserWithPassword; readonly client: ClientInfo },
): Promise<void> {
  const { passwordHash, ...user } = row;
  const usernameKey = toUsernameKey(user.username, deps.settings.usernameCaseSensitive);
  const account = { username: user.username, usernameKey, userId: user.id, mayBeUser: true };
  const verify = async () =>
    (await verifyPassword(deps.passwords, passwordHash, currentPassword)) === null ? null : { user };
  const verified = await countAttempt(deps, account, { client, device: { sessionId }, verify });
  if (verified === null) throw new AuthError("wrong_password", "wrong current password");
}
