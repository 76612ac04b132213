import type { TokenPair } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { RequestOrigin } from "../core/events.ts";
import type { Session } from "../core/session.ts";
import { createSecret, hashSecret } from "../crypto/secrets.ts";
import type { Deps } from "./deps.ts";
import { announce } from "./logout.ts";
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
 * Changes one's own password (tokenpair's own user table).
 *
 * @throws AuthError `wrong_password`; `token_revoked` where the asking session ended meanwhile (the password is changed);
 * `user_not_found`.
 */
export async function changePassword(
  deps: Deps,
  { userId, sessionId, currentPassword, newPassword, origin = {} }: PasswordChange,
): Promise<{ readonly session: Session; readonly pair: TokenPair }> {
  const row = await deps.store.users.findById(userId);
  if (row === null) throw new AuthError("user_not_found", "no such user");
  if (!(await deps.passwords.verify(row.passwordHash, currentPassword))) {
    deps.emit({ type: "login_failed", code: "wrong_password", reason: "password change", origin });
    throw new AuthError("wrong_password", "current password wrong");
  }
  const found = await deps.users.find(userId);
  if (found === null) throw new AuthError("user_not_found", "no such user");
  const claims = await toApplicationClaims(deps, found.user);

  const secret = createSecret(deps.random);
  const keep = { sessionId, nextHash: hashSecret(secret), idleLifetime: deps.settings.refreshTokenLifetime };
  const change = await deps.store.users.setPassword(userId, await deps.passwords.hash(newPassword), keep);
  if (change === null) throw new AuthError("user_not_found", "no such user");
  deps.emit({ type: "user_changed", userId, change: "password_changed" });
  announce(deps, change, { userId, reason: "password_changed" });
  if (change.kept === null)
    throw new AuthError("token_revoked", "the session ended meanwhile", { sessionIsDead: true });
  return { session: change.kept.session, pair: mintPair(deps, { ...change.kept, secret, claims }) };
}
