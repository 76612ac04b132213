import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError, type AuthErrorCode } from "../../core/errors.ts";
import { type RevokeReason, toSessionStatus } from "../../core/session.ts";
import type { SessionSnapshot } from "../../core/store/sessions.ts";

const codeOfReason: Readonly<Record<RevokeReason, AuthErrorCode>> = {
  logout: "token_revoked",
  replaced: "token_revoked",
  reuse: "token_revoked",
  revoked: "token_revoked",
  password_changed: "password_changed",
  user_disabled: "token_user_inactive",
  user_deleted: "token_user_inactive",
  limit: "token_revoked",
};

/**
 * Returns the error for the client if no token of this session can be refreshed any longer.
 *
 * @returns `null` if the session is live.
 */
export function findSessionRefusal(snapshot: SessionSnapshot | null): AuthError | null {
  if (snapshot === null) return sessionOver("token_revoked", "no such session");
  const { session, user, now } = snapshot;
  const status = toSessionStatus(session, now);
  if (status === "revoked") return sessionRevoked(session.revokeReason ?? "revoked");
  if (status === "expired") return sessionOver("token_expired", "session expired");
  if (user === null) return sessionOver("token_user_inactive", "user deleted");
  if (!user.isActive) return sessionOver("token_user_inactive", "user disabled");
  return user.epoch > session.userEpoch ? sessionRevoked(user.epochReason ?? "revoked") : null;
}

/**
 * The claims of a refresh token that must agree with its session. The rotation rule compares the generation and the secret.
 */
type SessionClaims = Pick<RefreshClaims, "userId" | "userEpoch">;

/**
 * Returns the error for the client if a genuine refresh token does not belong to this session: it has a different user, or
 * its epoch is higher than the session's. Such a token must not change anything, and it proves nothing about the session.
 *
 * @returns `null` if the claims agree, or if there is no session.
 */
export function findClaimMismatch(
  snapshot: SessionSnapshot | null,
  { userId, userEpoch }: SessionClaims,
): AuthError | null {
  if (snapshot === null) return null;
  const { session } = snapshot;
  if (userId !== session.userId) return new AuthError("token_invalid", "the session is another user's");
  return userEpoch > session.userEpoch ? new AuthError("token_invalid", "ue is higher than the session's") : null;
}

/**
 * Returns the error for the client if this refresh token can't be refreshed: the error of `findClaimMismatch` or
 * `findSessionRefusal`, or that the session is live but the token is older than the user's password. Doesn't check the
 * generation and the secret.
 *
 * @returns `null` if the token is not refused.
 */
export function findTokenRefusal(snapshot: SessionSnapshot | null, claims: SessionClaims): AuthError | null {
  const refusal = findClaimMismatch(snapshot, claims) ?? findSessionRefusal(snapshot);
  if (refusal !== null || snapshot === null) return refusal;
  const { leastEpoch, userEpoch } = snapshot.session;
  if (claims.userEpoch >= (leastEpoch ?? userEpoch)) return null;
  return new AuthError("password_changed", "the token is older than the password");
}

function sessionRevoked(reason: RevokeReason): AuthError {
  // A newer version of tokenpair may have written a reason that this version does not know.
  const code = codeOfReason[reason] ?? "token_revoked";
  // The browser of a replaced session has a newer one, whose cookies must stay.
  return new AuthError(code, `session revoked: ${reason}`, { sessionEnded: reason !== "replaced" });
}

function sessionOver(code: AuthErrorCode, reason: string): AuthError {
  return new AuthError(code, reason, { sessionEnded: true });
}
