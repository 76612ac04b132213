import { AuthError } from "../core/errors.ts";
import type { RequestOrigin } from "../core/events.ts";
import type { Revocation } from "../core/revocation.ts";
import type { Ended, LockedSession, Verdict } from "../core/store.ts";
import { announce, tellEnding } from "./announce.ts";
import type { Deps } from "./deps.ts";
import { toDeathOf } from "./session-death.ts";

/** This session, all others of the user, or all of them. */
export type LogoutScope = "local" | "others" | "all";

/**
 * Ends the session of a genuine refresh token, a spent one included (simplejwt's "blacklist"). Durable before it
 * fulfils; its access tokens end too.
 *
 * @throws AuthError a `token_` code; `token_revoked` where the session is dead already.
 */
export async function logoutByRefreshToken(deps: Deps, token: string, origin: RequestOrigin = {}): Promise<void> {
  const { sessionId, userId } = deps.tokens.verifyRefresh(token);
  const tell = tellEnding({ userId, sessionId, reason: "logout", origin });
  const audit = deps.audit((revocations: readonly Revocation[]) => tell({ sessions: revocations.length, revocations }));
  const { result: isLive, revocations } = await deps.store.sessions.decide(sessionId, (locked) => ({
    ...endIfLive(locked),
    audit,
  }));
  if (!isLive) throw new AuthError("token_revoked", "the session is dead already", { sessionIsDead: true });
  announce(deps, { sessions: revocations.length, revocations }, tell);
}

function endIfLive(locked: LockedSession | null): Verdict<boolean> {
  return toDeathOf(locked) === null ? { result: true, revoke: "logout" } : { result: false };
}

/**
 * Logs a user out of one session or of several; harmless where they are dead already. Durable before it fulfils.
 *
 * @throws StoreUnavailableError with nothing changed.
 */
export async function logout(
  deps: Deps,
  { sessionId, userId }: { readonly sessionId: string; readonly userId: string },
  scope: LogoutScope = "local",
  origin: RequestOrigin = {},
): Promise<Ended> {
  const { sessions } = deps.store;
  if (scope === "local") {
    const tell = tellEnding({ userId, sessionId, reason: "logout", origin });
    return announce(deps, await sessions.revoke(sessionId, "logout", { userId, audit: deps.audit(tell) }), tell);
  }
  const tell = tellEnding({ userId, reason: "logout", origin });
  const except = scope === "others" ? sessionId : undefined;
  return announce(deps, await sessions.revokeOfUser(userId, "logout", { except, audit: deps.audit(tell) }), tell);
}
