import type { AccessClaims, ApplicationClaims, RefreshClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import { hashSecret, isSameHash } from "../crypto/secrets.ts";
import { requireCurrentKey, requireNotRevoked } from "./authenticate.ts";
import type { Deps } from "./deps.ts";
import { findClaimMismatch, findSessionRefusal } from "./session-refusal.ts";

/** The claims of a live token of either kind, without a refresh token's secret. */
export type VerifiedClaims<C extends object = ApplicationClaims> = AccessClaims<C> | Omit<RefreshClaims, "secret">;

/**
 * Checks that a token of either kind is live. An access token is checked in memory. For a refresh token, the store
 * is queried: its generation must be the current one. A spent token is refused even inside the reuse interval.
 *
 * @returns the token's claims.
 * @throws AuthError a `token_` code or `password_changed`; `unavailable` if this node can't know whether an access
 * token is revoked. StoreUnavailableError.
 */
export async function verify(deps: Deps, token: string): Promise<VerifiedClaims> {
  const claims = await verifyEither(deps, token);
  if (claims.type === "access") {
    const lookup = requireNotRevoked(deps, claims);
    if (lookup !== undefined) await requireCurrentKey(deps, token, lookup);
    return claims;
  }
  return requireCurrent(deps, claims);
}

/** An access token is verified from memory, also while the database is away. For any other, the keys must be current. */
async function verifyEither({ keys, tokens }: Deps, token: string): Promise<AccessClaims | RefreshClaims> {
  try {
    return tokens.verifyAccess(token);
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
  }
  await keys.ready(token);
  return tokens.verifyAny(token);
}

/**
 * Checks that a genuine refresh token is the one of its session's current generation, and that the session is live.
 *
 * @returns the token's claims, without its secret.
 * @throws AuthError a `token_` code or `password_changed`. StoreUnavailableError.
 */
export async function requireCurrent(
  deps: Pick<Deps, "store">,
  { secret, ...claims }: RefreshClaims,
): Promise<Omit<RefreshClaims, "secret">> {
  const { sessionId, generation } = claims;
  const snapshot = await deps.store.sessions.find(sessionId);
  const refusal = findClaimMismatch(snapshot, claims) ?? findSessionRefusal(snapshot);
  if (refusal !== null) throw refusal;
  const session = snapshot?.session;
  if (session?.generation !== generation || !isSameHash(session.currentHash, hashSecret(secret))) {
    throw new AuthError("token_revoked", "rotated away");
  }
  return claims;
}
