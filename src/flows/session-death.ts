import type { RefreshClaims } from "../core/claims.ts";
import { AuthError, type AuthErrorCode } from "../core/errors.ts";
import { type RevokeReason, toSessionStatus } from "../core/session.ts";
import type { LockedSession } from "../core/store.ts";

const codeOfReason: Readonly<Record<RevokeReason, AuthErrorCode>> = {
  logout: "token_revoked",
  replaced: "token_revoked",
  reuse: "token_revoked",
  revoked: "token_revoked",
  password_changed: "password_changed",
  user_disabled: "token_user_inactive",
  user_deleted: "token_user_inactive",
};

/** Why no token of this session can ever be refreshed again, as the error for the client; `null` while it is alive. */
export function toDeathOf(locked: LockedSession | null): AuthError | null {
  if (locked === null) return dead("token_revoked", "no such session");
  const { session, user, now } = locked;
  const status = toSessionStatus(session, now);
  if (status === "revoked") return toRevocation(session.revokeReason ?? "revoked");
  if (status === "expired") return dead("token_expired", "session expired");
  if (user === null) return dead("token_user_inactive", "user deleted");
  if (!user.isActive) return dead("token_user_inactive", "user disabled");
  return user.epoch > session.userEpoch ? dead("token_revoked", "user epoch raised") : null;
}

/** As `toDeathOf`, of one token: its session may live on while the token is older than its user's password. */
export function toDeathOfToken(locked: LockedSession | null, { userEpoch }: RefreshClaims): AuthError | null {
  const death = toDeathOf(locked);
  if (death !== null || locked === null || userEpoch >= locked.session.userEpoch) return death;
  return new AuthError("password_changed", "the token is older than the password");
}

function toRevocation(reason: RevokeReason): AuthError {
  // A newer version of tokenpair may have written a reason that this one does not know.
  const code = codeOfReason[reason] ?? "token_revoked";
  // The browser of a replaced session has a newer one, whose cookies must stay.
  return new AuthError(code, `session ended: ${reason}`, { sessionIsDead: reason !== "replaced" });
}

function dead(code: AuthErrorCode, reason: string): AuthError {
  return new AuthError(code, reason, { sessionIsDead: true });
}
