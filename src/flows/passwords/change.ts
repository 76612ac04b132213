import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { KeepSession } from "../../core/store/users.ts";
import type { UserWithPassword } from "../../core/user.ts";
import { toUsernameKey } from "../../core/username.ts";
import { createSecret, deriveChangeSecret, hashIdempotencyKey, hashSecret } from "../../crypto/secrets.ts";
import { type ConfirmOptions, commitRevocation, toConfirmed } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { reportLoginFailure } from "../login.ts";
import { requireNoActor } from "../sessions/actor.ts";
import { toDeviceToken } from "../sessions/device.ts";
import { prepareTokens, type TokenLimitOptions } from "../sessions/token-pair.ts";
import { countAttempt } from "../throttling/counted-attempt.ts";
import { userChangedAndRevoked } from "../users/users.ts";
import { requireGoodPassword } from "./policy.ts";
import { type PasswordChanged, repeatPasswordChange } from "./repeat-change.ts";
import { normalizePassword, verifyPassword } from "./text.ts";

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

/**
 * Changes the password of the user who sent the request, in tokenpair's own user table. A wrong current password counts as a failed login.
 *
 * @throws AuthError `user_not_found`; `password_refused`, whose `reason` is a sentence for the user; `throttled`, with
 * `retryAfter`; `wrong_password`; `impersonated`; `token_revoked` if a reset, a disable or a logout came first; `unavailable`. With any
 * error, password and sessions have not changed.
 * @throws StoreUnavailableError if the store can't answer.
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
  const reason = "password_changed";
  const changed = await commitRevocation(deps, {
    isConfirmed,
    eventsOf: userChangedAndRevoked({ userId, sessionId, change: reason, reason, client }),
    write: (options) => deps.store.users.changePassword(userId, hash, keep, options),
  });
  if (changed === null) throw new AuthError("token_revoked", "the session or the password changed meanwhile");
  return { session: changed.session, pair: tokens.mintPair({ ...changed, secret }), device, ...toConfirmed(changed) };
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
