import type { AccessClaims, ApplicationClaims, RefreshClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import { hashSecret, isSameHash } from "../crypto/secrets.ts";
import { requireNotRevoked } from "./authenticate.ts";
import type { Deps } from "./deps.ts";
import { toDeathOf } from "./session-death.ts";

/** The claims of a live token of either kind, without a refresh token's secret. */
export type VerifiedClaims<C extends ApplicationClaims = ApplicationClaims> =
  | AccessClaims<C>
  | Omit<RefreshClaims, "secret">;

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
  const locked = await deps.store.sessions.find(sessionId);
  const death = toDeathOf(locked);
  if (death !== null) throw death;
  const session = locked?.session;
  if (session?.generation !== generation || !isSameHash(session.currentHash, hashSecret(secret))) {
    throw new AuthError("token_revoked", "rotated away");
  }
}
