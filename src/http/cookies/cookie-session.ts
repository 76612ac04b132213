import { AuthError, isRefusal } from "../../core/errors.ts";
import type { Actor } from "../../flows/sessions/actor.ts";
import type { SessionOwner } from "../../flows/sessions/logout.ts";
import type { HttpDeps } from "../endpoint.ts";
import type { RequestCookies } from "./cookies.ts";

/** The session that a browser's cookies belong to. */
export interface CookieSession extends SessionOwner {
  /** Who acts for the user in the session; `null`: the user, or only a refresh token is there, which doesn't say so. */
  readonly actor: Actor;
}

/**
 * Returns the session that a browser's cookies belong to, even if it is revoked. Works from memory. Returns `null` if the
 * cookies contain no genuine, unexpired token. The access cookie has priority, because the prefix of its name prevents
 * other hosts from setting it.
 */
export function findCookieSession(
  { tokens }: Pick<HttpDeps, "tokens">,
  { access, refresh }: Pick<RequestCookies, "access" | "refresh">,
): CookieSession | null {
  const claims =
    (access === undefined ? null : nullIfRefused(() => tokens.verifyAccess(access))) ??
    (refresh === undefined ? null : nullIfRefused(() => tokens.verifyRefresh(refresh)));
  if (claims === null) return null;
  const { userId, sessionId } = claims;
  return { userId, sessionId, actor: claims.type === "access" ? claims.actor : null };
}

/** Returns the sessions that a browser's genuine tokens belong to, even if the tokens have expired. Works from memory. */
export function findSessionIds(
  { tokens }: Pick<HttpDeps, "tokens">,
  { access, refresh }: Pick<RequestCookies, "access" | "refresh">,
): readonly string[] {
  return [access, refresh].flatMap((token) => {
    const claims = token === undefined ? null : nullIfRefused(() => tokens.verifyAny(token, { mayBeExpired: true }));
    return claims === null ? [] : [claims.sessionId];
  });
}

/**
 * Returns whether one of the cookies proves that the session is live. Tries the refresh cookie first, because the store is
 * queried for it.
 *
 * @throws AuthError if this can't be known: `unavailable`, or `token_revoked` for a token that was spent by a rotation or
 * was revoked without its session. Such a token says nothing about its session.
 */
export async function isCookieSessionLive(
  { flows, tokens }: Pick<HttpDeps, "flows" | "tokens">,
  { access, refresh }: RequestCookies,
  sessionId: string,
): Promise<boolean> {
  let undecided: AuthError | undefined;
  for (const token of [refresh, access]) {
    if (token === undefined) continue;
    if (nullIfRefused(() => tokens.verifyAny(token))?.sessionId !== sessionId) continue;
    try {
      await flows.verify(token);
      return true;
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      if (error.sessionEnded) return false;
      undecided = error;
    }
  }
  if (undecided !== undefined) throw undecided;
  return false;
}

/**
 * Returns the result of `verify`, or `null` if it refuses the token.
 *
 * @throws AuthError `unavailable` if the keys are not known.
 */
export function nullIfRefused<T>(verify: () => T): T | null {
  try {
    return verify();
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}
