import type { RefreshClaims } from "../core/claims.ts";
import { AuthError, type AuthErrorCode } from "../core/errors.ts";
import { type RevokeReason, toSessionStatus } from "../core/session.ts";
import type { SessionSnapshot } from "../core/store/sessions.ts";

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
 * Returns why no token of this session can be refreshed any more, as the error for the client.
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
 * Returns why this refresh token can't be refreshed: the reason of `findSessionRefusal`, or that the token is older
 * than the user's password although its session is live. Doesn't check generation and secret.
 *
 * @returns `null` if neither is the case.
 */
export function findTokenRefusal(snapshot: SessionSnapshot | null, { userEpoch }: RefreshClaims): AuthError | null {
  const refusal = findSessionRefusal(snapshot);
  if (refusal !== null || snapshot === null) return refusal;
  const { session } = snapshot;
  if (userEpoch >= (session.leastEpoch ?? session.userEpoch)) return null;
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
