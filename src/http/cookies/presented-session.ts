import { AuthError } from "../../core/errors.ts";
import type { HttpDeps } from "../endpoint.ts";
import type { PresentedCookies } from "./cookies.ts";

/** A session that a genuine token of the browser names, dead or alive. */
export interface PresentedSession {
  readonly sessionId: string;
  readonly userId: string;
}

/**
 * The session of a browser's cookies, from memory; `null` where they hold no genuine, unexpired token. The access cookie
 * is asked first: its name keeps other hosts from setting it.
 */
export function findPresentedSession(
  { tokens }: HttpDeps,
  { access, refresh }: PresentedCookies,
): PresentedSession | null {
  return (
    (access === undefined ? null : claimsOrNull(() => tokens.verifyAccess(access))) ??
    (refresh === undefined ? null : claimsOrNull(() => tokens.verifyRefresh(refresh)))
  );
}

/**
 * Whether a token of `session` proves it alive: first the refresh cookie's, of which the store itself knows.
 *
 * @throws AuthError where this cannot be known: `unavailable`, or `token_revoked` for a token that was revoked or rotated
 * away by itself, which says nothing of its session.
 */
export async function isPresentedLive(
  deps: HttpDeps,
  { access, refresh }: PresentedCookies,
  session: PresentedSession,
): Promise<boolean> {
  const { flows, tokens } = deps;
  let undecided: AuthError | undefined;
  for (const token of [refresh, access]) {
    if (token === undefined) continue;
    if (claimsOrNull(() => tokens.verifyAny(token))?.sessionId !== session.sessionId) continue;
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

function claimsOrNull<T>(verify: () => T): T | null {
  try {
    return verify();
  } catch (error) {
    if (error instanceof AuthError) return null;
    throw error;
  }
}
