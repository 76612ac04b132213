import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import { type Decision, nothingRevoked, type SessionSnapshot, type Verdict } from "../../core/store/sessions.ts";
import type { EventsOf } from "../../events/events.ts";
import {
  type Confirmed,
  commitRevocation,
  type RevocationRequest,
  type RevokedAndConfirmed,
  sessionsRevoked,
  toConfirmed,
} from "../commit.ts";
import type { Deps } from "../deps.ts";
import { logoutByLegacyToken } from "../legacy/revoke.ts";
import { verifyAnyRefreshToken } from "../legacy/verify.ts";
import { type Actor, requireNoActor, withActor } from "./actor.ts";
import { findClaimMismatch, findSessionRefusal } from "./session-refusal.ts";

/** Which sessions to log out: this session, the user's other sessions, or all of the user's sessions. */
export type LogoutScope = "local" | "others" | "all";

/** A session and its user. */
export interface SessionOwner {
  /** The session's id, which is the claim `sid` of its tokens. */
  readonly sessionId: string;
  /** The user's id. */
  readonly userId: string;
}

/** The options of a logout. */
export interface LogoutOptions extends RevocationRequest {
  /** Which sessions to log out. Default: "local". */
  readonly scope?: LogoutScope;
}

/**
 * Logs out the live session of a genuine refresh token, even if the token is spent (simplejwt's "blacklist"). The change is
 * durable when the promise fulfils. During a migration from simplejwt, the scope "local" also accepts a refresh token of
 * simplejwt.
 *
 * @throws AuthError with a code that starts with `token_`. It is `token_revoked` if the session is no longer live. In that
 * case, no session is revoked, with any scope.
 * @throws StoreUnavailableError with nothing changed.
 */
export async function logoutByRefreshToken(
  deps: Deps,
  token: string,
  { scope = "local", client = {}, confirmed }: LogoutOptions = {},
): Promise<Confirmed> {
  await deps.keys.ready(token);
  const claims = scope === "local" ? verifyAnyRefreshToken(deps, token) : deps.tokens.verifyRefresh(token);
  if (claims.type === "legacy") return logoutByLegacyToken(deps, claims, { client, isConfirmed: confirmed ?? false });
  const { sessionId, userId } = claims;
  if (scope === "local") {
    const decide = (snapshot: SessionSnapshot | null) => revokeUnless(findLogoutRefusal(snapshot, claims), snapshot);
    const revoked = await logoutOne(deps, { sessionId, userId }, { decide, client, confirmed });
    if (revoked.result.refusal !== null) throw revoked.result.refusal;
    return toConfirmed(revoked);
  }
  const refusal = findLogoutRefusal(await deps.store.sessions.find(sessionId), claims);
  if (refusal !== null) throw refusal;
  const revoked = await logout(deps, { sessionId, userId }, { scope, client, confirmed });
  // Without an entry, another logout revoked the session after it had been looked at.
  if (revoked.revocations.length === 0) throw sessionOver();
  return toConfirmed(revoked);
}

/** What was decided about the logout of one session. */
interface LogoutDecision {
  /** Why the session isn't logged out; `null` if nothing was refused. */
  readonly refusal: AuthError | null;
  readonly actor: Actor;
}

function revokeUnless(refusal: AuthError | null, snapshot: SessionSnapshot | null): Verdict<LogoutDecision> {
  const actor = snapshot?.session.actor ?? null;
  return { result: { refusal, actor }, ...(refusal === null ? { revoke: "logout" } : {}) };
}

interface LogoutOfOne extends RevocationRequest {
  readonly decide: (snapshot: SessionSnapshot | null) => Verdict<LogoutDecision>;
}

/** Logs out one session if `decide` says so. The event has the session's actor. */
function logoutOne(
  deps: Deps,
  { sessionId, userId }: SessionOwner,
  { decide, client = {}, confirmed = false }: LogoutOfOne,
): Promise<Decision<LogoutDecision> & Confirmed> {
  const eventsOf: EventsOf<Decision<LogoutDecision>> = (decision) => {
    const subject = { userId, sessionId, reason: "logout", client: withActor(client, decision.result.actor) } as const;
    return sessionsRevoked(subject)(decision);
  };
  return commitRevocation(deps, {
    isConfirmed: confirmed,
    eventsOf,
    write: (options) => deps.store.sessions.decide(sessionId, decide, options),
  });
}

/**
 * Returns the error if the token can't log out, because it doesn't belong to its session or the session is no longer live.
 * The token's generation doesn't matter.
 */
function findLogoutRefusal(snapshot: SessionSnapshot | null, claims: RefreshClaims): AuthError | null {
  const mismatch = findClaimMismatch(snapshot, claims);
  if (mismatch !== null || findSessionRefusal(snapshot) === null) return mismatch;
  return sessionOver();
}

const sessionOver = () => new AuthError("token_revoked", "the session is over already", { sessionEnded: true });

/**
 * Logs a user out of one or several sessions. With the scope "local", does nothing if the session is no longer live. The change
 * is durable when the promise fulfils.
 *
 * @returns how many sessions were revoked, and the new entries of the revocation feed. With the scope "all", there are none if a
 * logout has revoked the session already.
 * @throws AuthError `token_revoked` with nothing changed if, with the scopes "others" and "all", the session is no longer live.
 * @throws AuthError `impersonated` if an actor asks for more than this session.
 * @throws StoreUnavailableError with nothing changed.
 */
export async function logout(
  deps: Deps,
  { sessionId, userId }: SessionOwner,
  { scope = "local", client = {}, confirmed }: LogoutOptions = {},
): Promise<RevokedAndConfirmed> {
  const { sessions } = deps.store;
  if (scope === "local") {
    const decide = (snapshot: SessionSnapshot | null): Verdict<LogoutDecision> =>
      snapshot?.session.userId === userId ? revokeUnless(null, snapshot) : { result: { refusal: null, actor: null } };
    const { result: _, ...revoked } = await logoutOne(deps, { sessionId, userId }, { decide, client, confirmed });
    return revoked;
  }
  await requireNoActor(deps, sessionId);
  const revoked = await commitRevocation(deps, {
    isConfirmed: confirmed ?? deps.settings.confirmRevocations,
    eventsOf: sessionsRevoked({ userId, reason: "logout", client }),
    write: async (options) =>
      scope === "others"
        ? sessions.revokeOthers({ sessionId, userId }, "logout", options)
        : sessions.revokeForUser(userId, "logout", { ...options, by: sessionId }),
  });
  const isDone = revoked !== null && revoked.revocations.length > 0;
  // A repeated logout of all finds its session revoked by the first one. A logout of the others keeps the session.
  if (!isDone && (scope === "others" || !(await isLoggedOut(deps, { sessionId, userId })))) throw sessionOver();
  return revoked ?? nothingRevoked;
}

/**
 * Returns whether a logout has revoked the session. If so, a repeated logout has nothing to do.
 *
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function isLoggedOut(
  { store }: Pick<Deps, "store">,
  { sessionId, userId }: SessionOwner,
): Promise<boolean> {
  const found = await store.sessions.find(sessionId);
  return found?.session.userId === userId && found.session.revokeReason === "logout";
}
