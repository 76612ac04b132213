import type { AccessClaims, ApplicationClaims, RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import { hashSecret, isSameHash } from "../../crypto/secrets.ts";
import type { Deps } from "../deps.ts";
import { findClaimMismatch, findSessionRefusal } from "../sessions/session-refusal.ts";
import { requireCurrentKey, requireNotRevoked } from "./authenticate.ts";

/** The claims of a live access or refresh token. For a refresh token, without its secret. */
export type VerifiedClaims<C extends object = ApplicationClaims> = AccessClaims<C> | Omit<RefreshClaims, "secret">;

/**
 * Checks that an access or refresh token is live. For an access token, it works from memory. For a refresh token, it
 * queries the store: the token's generation must be the current one. A spent token is refused even within the reuse
 * interval.
 *
 * @returns the token's claims.
 * @throws AuthError with a code that starts with `token_`, or with the code `password_changed`. `unavailable` if this node
 * can't know whether an access token is revoked.
 * @throws StoreUnavailableError if the store can't answer.
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

/**
 * Verifies either kind of token. An access token is verified from memory, even while the database is unavailable. For any
 * other token, the keys must be current.
 */
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
 * Checks that a genuine refresh token belongs to the current generation of its session, and that the session is live.
 *
 * @returns the token's claims, without its secret.
 * @throws AuthError with a code that starts with `token_`, or with the code `password_changed`.
 * @throws StoreUnavailableError if the store can't answer.
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
