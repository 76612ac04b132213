import type { TokenPair } from "../core/claims.ts";
import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { KeepSession } from "../core/store/users.ts";
import type { UserWithPassword } from "../core/user.ts";
import { toUsernameKey } from "../core/username.ts";
import { createDeviceToken } from "../crypto/device-tokens.ts";
import { createSecret, hashSecret } from "../crypto/secrets.ts";
import { commit } from "./commit.ts";
import type { Deps } from "./deps.ts";
import { reportLoginFailure } from "./login.ts";
import { requireGoodPassword } from "./passwords/policy.ts";
import { normalizePassword, verifyPassword } from "./passwords/text.ts";
import { acceptAttempt, admitAttempt, rejectAttempt, undoAttempt } from "./throttling/login-throttle.ts";
import { prepareTokens, type TokenLimitOptions } from "./token-pair.ts";
import { userChangedAndRevoked } from "./users.ts";

/** A change of password that the user asked for. */
export interface PasswordChange {
  /** The user who sent the request. */
  readonly userId: string;
  /** The session that sent the request. It continues with a new pair; all other sessions of the user are revoked. */
  readonly sessionId: string;
  /** The current password, used exactly as given. */
  readonly currentPassword: string;
  /** Checked by the password policy. */
  readonly newPassword: string;
}

/** The session that changed its user's password, with its new pair. */
export interface PasswordChanged {
  /** The session's row. */
  readonly session: Session;
  /** The session's new pair. */
  readonly pair: TokenPair;
  /** A new device token: those from before the change no longer count. */
  readonly device: string;
}

/**
 * Changes the password of the user who sent the request, in tokenpair's own user table. A wrong current password counts as a failed login.
 *
 * @param options.client who sent the request.
 * @throws AuthError `user_not_found`; `password_refused`, whose `reason` is a sentence for the user; `throttled`, with
 * `retryAfter`; `wrong_password`; `token_revoked` if a reset, a disable or a logout came first; `unavailable`.
 * StoreUnavailableError. If it throws, password and sessions have not changed.
 */
export async function changePassword(
  deps: Deps,
  change: PasswordChange,
  { client = {}, tokenLimits }: { readonly client?: ClientInfo | undefined } & TokenLimitOptions = {},
): Promise<PasswordChanged> {
  const { userId, sessionId, newPassword } = change;
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
  const secret = createSecret(deps.random);
  const keep: KeepSession = {
    sessionId,
    userEpoch: user.epoch,
    nextHash: hashSecret(secret),
    idleLifetime: deps.settings.refreshTokenLifetime,
  };
  // The change raises the epoch by one, from the one under which the current password was verified.
  const owner = { userId, userEpoch: user.epoch + 1, issuedAt: deps.clock.now() };
  const usernameKey = toUsernameKey(user.username, deps.settings.usernameCaseSensitive);
  const device = createDeviceToken(deps.deviceKey, usernameKey, owner, deps.random);
  const hash = await deps.passwords.hash(normalizePassword(newPassword));
  const changed = await commit(
    deps,
    userChangedAndRevoked({ userId, sessionId, change: "password_changed", reason: "password_changed", client }),
    (audit) => deps.store.users.changePassword(userId, hash, keep, audit),
  );
  if (changed === null) throw new AuthError("token_revoked", "the session or the password changed meanwhile");
  return { session: changed.session, pair: tokens.mintPair({ ...changed, secret }), device };
}

/**
 * Verifies the current password as one counted attempt.
 *
 * @throws AuthError `wrong_password`, `throttled`, `unavailable`.
 */
async function verifyCurrentPassword(
  deps: Deps,
  { sessionId, currentPassword }: PasswordChange,
  { row, client }: { readonly row: UserWithPassword; readonly client: ClientInfo },
): Promise<void> {
  const { passwordHash, ...user } = row;
  const usernameKey = toUsernameKey(user.username, deps.settings.usernameCaseSensitive);
  const account = { username: user.username, usernameKey, userId: user.id, mayBeUser: true };
  const attempt = await admitAttempt(deps, account, { client, device: { sessionId } });
  const match = await verifyPassword(deps.passwords, passwordHash, currentPassword).catch(async (error: unknown) => {
    await undoAttempt(deps, attempt);
    throw error;
  });
  if (match === null) {
    await rejectAttempt(deps, attempt);
    throw new AuthError("wrong_password", "wrong current password");
  }
  await acceptAttempt(deps, attempt, user);
}
