import type { TokenPair } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { RequestOrigin } from "../core/events.ts";
import type { Session } from "../core/session.ts";
import type { Ended } from "../core/store.ts";
import { createSecret, hashSecret } from "../crypto/secrets.ts";
import { announce, tellEnding } from "./announce.ts";
import type { Tell } from "./auditor.ts";
import type { Deps } from "./deps.ts";
import { reportLoginFailure } from "./login.ts";
import { requireGoodPassword } from "./passwords/policy.ts";
import { normalizePassword, verifyPassword } from "./passwords/text.ts";
import { countAttempt } from "./throttling/login-throttle.ts";
import { mintPair, toApplicationClaims } from "./token-pair.ts";

export interface PasswordChange {
  readonly userId: string;
  /** The session that asks; it goes on with a new pair, all others end. */
  readonly sessionId: string;
  readonly currentPassword: string;
  readonly newPassword: string;
  readonly origin?: RequestOrigin;
}

/**
 * Changes one's own password (tokenpair's own user table), unless a reset, a disable or a logout came first.
 *
 * A wrong current password counts as a failed login.
 *
 * @throws AuthError `wrong_password`; `throttled`, with `retryAfter`; `password_refused`, with a sentence for the user;
 * `token_revoked` where the asking session or the password it was asked with is no longer in force, and nothing has
 * changed; `user_not_found`.
 */
export async function changePassword(
  deps: Deps,
  { userId, sessionId, currentPassword, newPassword, origin = {} }: PasswordChange,
): Promise<{ readonly session: Session; readonly pair: TokenPair }> {
  const row = await deps.store.users.findById(userId);
  if (row === null) throw new AuthError("user_not_found", "no such user");
  const { passwordHash, ...user } = row;
  await requireGoodPassword(deps.settings, newPassword, user.username);
  try {
    const attempt = { username: user.username, origin, device: { sessionId } };
    const found = await countAttempt(deps, attempt, async () =>
      (await verifyPassword(deps.passwords, passwordHash, currentPassword)) === null ? null : { user },
    );
    if (found === null) throw new AuthError("wrong_password", "wrong current password");
  } catch (error) {
    if (error instanceof AuthError) await reportLoginFailure(deps, error, { userId, sessionId, origin });
    throw error;
  }

  const claims = await toApplicationClaims(deps, user);
  const secret = createSecret(deps.random);
  const keep = {
    sessionId,
    userEpoch: user.epoch,
    nextHash: hashSecret(secret),
    idleLifetime: deps.settings.refreshTokenLifetime,
  };
  const tell: Tell<Ended> = (ended) =>
    tellEnding({ userId, reason: "password_changed", origin })(ended).flatMap((event) => [
      { type: "user_changed", time: event.time, userId, sessionId, change: "password_changed", origin },
      event,
    ]);
  const hash = await deps.passwords.hash(normalizePassword(newPassword));
  const changed = await deps.store.users.changePassword(userId, hash, keep, deps.audit(tell));
  if (changed === null) throw new AuthError("token_revoked", "the session or the password changed meanwhile");
  announce(deps, changed, tell);
  return { session: changed.session, pair: mintPair(deps, { ...changed, secret, claims }) };
}
