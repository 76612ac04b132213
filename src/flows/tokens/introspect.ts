import type { AccessClaims, RefreshClaims } from "../../core/claims.ts";
import { isRefusal } from "../../core/errors.ts";
import type { Deps } from "../deps.ts";
import { mayHaveTokens } from "../users/user-source.ts";
import { requireNotRevoked } from "./authenticate.ts";
import { requireCurrent, type VerifiedClaims } from "./verify.ts";

/** A live token. RFC 7662 calls it "active". */
export interface ActiveToken {
  /** The token's claims, without a refresh token's secret. */
  readonly claims: VerifiedClaims;
  /** The name of the token's user. */
  readonly username: string;
}

/**
 * Finds out whether an access or refresh token is live (RFC 7662 §2.2): it would be accepted now, and its user may still
 * have tokens. Of a session's refresh tokens, only the one of the current generation is live. Never changes anything.
 *
 * For every token that isn't live, it reads one session, so that the response time doesn't reveal what is wrong with the
 * token.
 *
 * @returns `null` if the token isn't live.
 * @throws AuthError `unavailable` if this node can't know whether an access token is revoked.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function introspect(deps: Deps, token: string): Promise<ActiveToken | null> {
  await deps.keys.ready(token);
  const verified = await nullIfRefused(verifyInMemory(deps, token));
  if (verified === null) {
    await deps.store.sessions.find(noSession);
    return null;
  }
  const claims = verified.type === "access" ? verified : await nullIfRefused(requireCurrent(deps, verified));
  if (claims === null) return null;
  const user = (await deps.users.find(claims.userId))?.user;
  return user === undefined || !mayHaveTokens(deps.settings, user) ? null : { claims, username: user.username };
}

/** An id that no session has: a UUIDv7 is never nil. */
const noSession = "00000000-0000-0000-0000-000000000000";

/** Does all checks of an access token, and those checks of a refresh token that don't need the store. */
async function verifyInMemory(deps: Deps, token: string): Promise<AccessClaims | RefreshClaims> {
  const claims = deps.tokens.verifyAny(token);
  if (claims.type === "access") await requireNotRevoked(deps, claims);
  return claims;
}

/** Returns the result of the promise, or `null` if the token was refused. Rethrows any other error. */
async function nullIfRefused<T>(checked: Promise<T>): Promise<T | null> {
  try {
    return await checked;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}
