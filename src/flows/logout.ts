import type { RefreshClaims } from "../core/claims.ts";
import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { RevokedSessions, SessionSnapshot, Verdict } from "../core/store/sessions.ts";
import { commit, sessionsRevoked } from "./commit.ts";
import type { Deps } from "./deps.ts";
import { findClaimMismatch, findSessionRefusal } from "./session-refusal.ts";

/** Which sessions to log out: this one, all others of the user, or all of the user's. */
export type LogoutScope = "local" | "others" | "all";

/** A session and its user. */
export interface SessionOwner {
  /** The session's id, `sid`. */
  readonly sessionId: string;
  /** The user's id. */
  readonly userId: string;
}

/** How to log out. */
export interface LogoutOptions {
  /** Which sessions to log out. Default: "local". */
  readonly scope?: LogoutScope;
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/**
 * Logs out by any genuine refresh token of a live session, a spent one included (simplejwt's "blacklist"). Durable when
 * the promise fulfils.
 *
 * @throws AuthError a `token_` code; `token_revoked` if the session is over already: then no session is revoked,
 * whatever the scope. StoreUnavailableError with nothing changed.
 */
export async function logoutByRefreshToken(
  deps: Deps,
  token: string,
  { scope = "local", client = {} }: LogoutOptions = {},
): Promise<void> {
  const claims = deps.tokens.verifyRefresh(token);
  const { sessionId, userId } = claims;
  if (scope === "local") {
    const { result: refusal } = await commit(
      deps,
      sessionsRevoked({ userId, sessionId, reason: "logout", client }),
      (audit) => deps.store.sessions.decide(sessionId, (snapshot) => revokeIfLive(snapshot, claims), audit),
    );
    if (refusal !== null) throw refusal;
  } else {
    const refusal = findLogoutRefusal(await deps.store.sessions.find(sessionId), claims);
    if (refusal !== null) throw refusal;
    await logout(deps, { sessionId, userId }, { scope, client });
  }
}

function revokeIfLive(snapshot: SessionSnapshot | null, claims: RefreshClaims): Verdict<AuthError | null> {
  const refusal = findLogoutRefusal(snapshot, claims);
  return refusal === null ? { result: null, revoke: "logout" } : { result: refusal };
}

/** Returns why the token can't log out: it isn't one of its session, or the session is over. Its generation doesn't matter. */
function findLogoutRefusal(snapshot: SessionSnapshot | null, claims: RefreshClaims): AuthError | null {
  const mismatch = findClaimMismatch(snapshot, claims);
  if (mismatch !== null || findSessionRefusal(snapshot) === null) return mismatch;
  return new AuthError("token_revoked", "the session is over already", { sessionEnded: true });
}

/**
 * Logs a user out of one session or of several. Does nothing if they are over already. Durable when the promise
 * fulfils.
 *
 * @returns how many sessions were revoked, and the new entries of the revocation feed.
 * @throws StoreUnavailableError with nothing changed.
 */
export async function logout(
  deps: Deps,
  { sessionId, userId }: SessionOwner,
  { scope = "local", client = {} }: LogoutOptions = {},
): Promise<RevokedSessions> {
  if (scope === "local") {
    return commit(deps, sessionsRevoked({ userId, sessionId, reason: "logout", client }), (audit) =>
      deps.store.sessions.revoke(sessionId, "logout", { userId, audit }),
    );
  }
  const except = scope === "others" ? sessionId : undefined;
  return commit(deps, sessionsRevoked({ userId, reason: "logout", client }), (audit) =>
    deps.store.sessions.revokeForUser(userId, "logout", { except, audit }),
  );
}
