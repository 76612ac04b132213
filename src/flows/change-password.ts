import type { TokenPair } from "../core/claims.ts";
import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { KeepSession } from "../core/store/users.ts";
import type { UserWithPassword } from "../core/user.ts";
import { createSecret, hashSecret } from "../crypto/secrets.ts";
import { commit } from "./commit.ts";
import type { Deps } from "./deps.ts";
import { reportLoginFailure } from "./login.ts";
import { requireGoodPassword } from "./passwords/policy.ts";
import { normalizePassword } from "./passwords/text.ts";
import { acceptAttempt, admitAttempt, rejectAttempt, undoAttempt } from "./throttling/login-throttle.ts";
import { mintPair, toApplicationClaims } from "./token-pair.ts";
import { toLoginCandidate } from "./user-source.ts";
import { userChangedAndRevoked } from "./users.ts";

/** A change of one's own password. */
export interface PasswordChange {
  readonly userId: string;
  /** The session that asks. It continues with a new pair; all other sessions of the user are revoked. */
  readonly sessionId: string;
  readonly currentPassword: string;
  readonly newPassword: string;
}

/**
 * Changes one's own password in tokenpair's own user table. A wrong current password counts as a failed login.
 *
 * @throws AuthError `wrong_password`; `throttled`, with `retryAfter`; `password_refused`, whose `reason` is a sentence for
 * the user; `user_not_found`; `token_revoked`, with nothing changed, if a reset, a disable or a logout came first.
 */
export async function changePassword(
  deps: Deps,
  change: PasswordChange,
  client: ClientInfo = {},
): Promise<{ readonly session: Session; readonly pair: TokenPair }> {
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

  const claims = await toApplicationClaims(deps, user);
  const secret = createSecret(deps.random);
  const keep: KeepSession = {
    sessionId,
    userEpoch: user.epoch,
    nextHash: hashSecret(secret),
    idleLifetime: deps.settings.refreshTokenLifetime,
  };
  const hash = await deps.passwords.hash(normalizePassword(newPassword));
  const changed = await commit(
    deps,
    userChangedAndRevoked({ userId, sessionId, change: "password_changed", reason: "password_changed", client }),
    (audit) => deps.store.users.changePassword(userId, hash, keep, audit),
  );
  if (changed === null) throw new AuthError("token_revoked", "the session or the password changed meanwhile");
  return { session: changed.session, pair: mintPair(deps, { ...changed, secret, claims }) };
}

async function verifyCurrentPassword(
  deps: Deps,
  { sessionId, currentPassword }: PasswordChange,
  { row, client }: { readonly row: UserWithPassword; readonly client: ClientInfo },
): Promise<void> {
  const candidate = toLoginCandidate(deps.settings, row.username, row);
  const attempt = await admitAttempt(deps, candidate, { client, device: { sessionId } });
  const verified = await deps.users.verify(candidate, currentPassword).catch(async (error: unknown) => {
    await undoAttempt(deps, attempt);
    throw error;
  });
  if (verified === null) {
    rejectAttempt(deps, attempt);
    throw new AuthError("wrong_password", "wrong current password");
  }
  await acceptAttempt(deps, attempt, verified.user);
}
