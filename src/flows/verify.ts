import type { AccessClaims, ApplicationClaims, RefreshClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import { hashSecret, isSameHash } from "../crypto/secrets.ts";
import { requireNotRevoked } from "./authenticate.ts";
import type { Deps } from "./deps.ts";
import { findSessionRefusal } from "./session-refusal.ts";

/** The claims of a live token of either kind, without a refresh token's secret. */
export type VerifiedClaims<C extends object = ApplicationClaims> = AccessClaims<C> | Omit<RefreshClaims, "secret">;

/**
 * Says whether a token of either kind is alive. An access token is answered from memory; a refresh token asks the store
 * whether its generation is the current one, also inside the reuse interval.
 *
 * @throws AuthError a `token_` code or `password_changed`; `unavailable`.
 */
export async function verify(deps: Deps, token: string): Promise<VerifiedClaims> {
  const claims = deps.tokens.verifyAny(token);
  if (claims.type === "access") {
    await requireNotRevoked(deps, claims);
    return claims;
  }
  await requireCurrent(deps, claims);
  const { secret: _, ...rest } = claims;
  return rest;
}

async function requireCurrent(deps: Deps, { sessionId, generation, secret }: RefreshClaims): Promise<void> {
  const snapshot = await deps.store.sessions.find(sessionId);
  const refusal = findSessionRefusal(snapshot);
  if (refusal !== null) throw refusal;
  const session = snapshot?.session;
  if (session?.generation !== generation || !isSameHash(session.currentHash, hashSecret(secret))) {
    throw new AuthError("token_revoked", "rotated away");
  }
}
