import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { RevokedSessions, SessionSnapshot, Verdict } from "../core/store/sessions.ts";
import { commit, sessionsRevoked } from "./commit.ts";
import type { Deps } from "./deps.ts";
import { findSessionRefusal } from "./session-refusal.ts";

/** Which sessions to log out: this one, all others of the user, or all of the user's. */
export type LogoutScope = "local" | "others" | "all";

/** One user's session. */
export interface SessionOwner {
  readonly sessionId: string;
  readonly userId: string;
}

/** How to log out. */
export interface LogoutOptions {
  /** Default: "local". */
  readonly scope?: LogoutScope;
  /** Who sent the request. */
  readonly client?: ClientInfo;
}

/**
 * Logs out by a genuine refresh token, a spent one included (simplejwt's "blacklist"). Durable when the promise fulfils.
 *
 * @throws AuthError a `token_` code; `token_revoked` if the session is over already: then nothing is revoked.
 */
export async function logoutByRefreshToken(
  deps: Deps,
  token: string,
  { scope = "local", client = {} }: LogoutOptions = {},
): Promise<void> {
  const { sessionId, userId } = deps.tokens.verifyRefresh(token);
  if (scope !== "local") {
    const refusal = findSessionRefusal(await deps.store.sessions.find(sessionId));
    if (refusal !== null) throw refusal;
    await logout(deps, { sessionId, userId }, { scope, client });
    return;
  }
  const { result: wasLive } = await commit(
    deps,
    sessionsRevoked({ userId, sessionId, reason: "logout", client }),
    (audit) => deps.store.sessions.decide(sessionId, revokeIfLive, audit),
  );
  if (!wasLive) throw new AuthError("token_revoked", "the session is over already", { sessionEnded: true });
}

function revokeIfLive(snapshot: SessionSnapshot | null): Verdict<boolean> {
  return findSessionRefusal(snapshot) === null ? { result: true, revoke: "logout" } : { result: false };
}

/**
 * Logs a user out of one session or of several. Does nothing if they are over already. Durable when the promise fulfils.
 *
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
