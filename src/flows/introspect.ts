import type { AccessClaims, RefreshClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import { requireNotRevoked } from "./authenticate.ts";
import type { Deps } from "./deps.ts";
import { mayHaveTokens } from "./user-source.ts";
import { requireCurrent, type VerifiedClaims } from "./verify.ts";

/** A token that is live, as RFC 7662 calls "active". */
export interface ActiveToken {
  /** The token's claims, without a refresh token's secret. */
  readonly claims: VerifiedClaims;
  /** The name of the token's user. */
  readonly username: string;
}

/**
 * Finds out whether a token of either kind is live (RFC 7662 §2.2): it would be accepted now, and its user still may have
 * tokens. Of a session's refresh tokens, only that of the current generation is live. Never changes anything.
 *
 * Every token that isn't live costs one read of a session, so that the time of the answer doesn't tell what is wrong with it.
 *
 * @returns `null` if the token isn't live.
 * @throws AuthError `unavailable` if this node can't know whether an access token is revoked. StoreUnavailableError.
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

/** The id of no session: UUIDv7 are never nil. */
const noSession = "00000000-0000-0000-0000-000000000000";

/** Checks all of an access token, and of a refresh token what needs no store. */
async function verifyInMemory(deps: Deps, token: string): Promise<AccessClaims | RefreshClaims> {
  const claims = deps.tokens.verifyAny(token);
  if (claims.type === "access") await requireNotRevoked(deps, claims);
  return claims;
}

/** Returns what the promise fulfils with; `null` if the token was refused. Any other error is thrown. */
async function nullIfRefused<T>(checked: Promise<T>): Promise<T | null> {
  try {
    return await checked;
  } catch (error) {
    if (error instanceof AuthError && error.code !== "unavailable") return null;
    throw error;
  }
}
