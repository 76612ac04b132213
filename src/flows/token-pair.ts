import type { ApplicationClaims, TokenPair } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import type { AuthUser } from "../core/user.ts";
import type { Deps } from "./deps.ts";

/** What a pair is minted from; `now` is the store's time of the transaction that allowed it. */
export interface PairSource {
  readonly session: Session;
  readonly secret: Uint8Array;
  readonly claims: ApplicationClaims;
  readonly now: number;
}

/**
 * The pair of the session's current generation. The refresh token depends on the row alone, so that a replay is answered
 * with the same one; no token outlives the session (invariant I5).
 */
export function mintPair(deps: Deps, { session, secret, claims, now }: PairSource): TokenPair {
  const refresh = deps.tokens.mintRefresh({
    userId: session.userId,
    sessionId: session.id,
    userEpoch: session.userEpoch,
    issuedAt: session.rotatedAt ?? session.createdAt,
    expiresAt: session.idleExpiresAt,
    generation: session.generation,
    secret,
  });
  return {
    ...mintAccess(deps, { session, claims, now }),
    refresh,
    refreshExpiresIn: session.idleExpiresAt - now,
  };
}

/** A new access token of the session, without a refresh token. */
export function mintAccess(
  deps: Deps,
  { session, claims, now }: Omit<PairSource, "secret">,
): Pick<TokenPair, "access" | "accessExpiresIn"> {
  const expiresAt = Math.min(now + deps.settings.accessTokenLifetime, session.absoluteExpiresAt);
  const access = deps.tokens.mintAccess({
    userId: session.userId,
    sessionId: session.id,
    userEpoch: session.userEpoch,
    issuedAt: now,
    expiresAt,
    claims,
  });
  return { access, accessExpiresIn: expiresAt - now };
}

/**
 * Asks the `claims` hook and tries its answer on, so that nothing has been changed yet where it cannot be used.
 *
 * @throws AuthError `unavailable` where the hook fails, or its claims take our names or make the token too long.
 */
export async function toApplicationClaims(deps: Deps, user: AuthUser): Promise<ApplicationClaims> {
  if (deps.settings.claims === undefined) return {};
  try {
    const claims = await deps.settings.claims(user);
    const { now } = deps.clock;
    deps.tokens.mintAccess({ ...sample, userId: user.id, issuedAt: now(), expiresAt: now(), claims });
    return claims;
  } catch (cause) {
    throw new AuthError("unavailable", "the claims hook failed", { cause });
  }
}

const sample = { sessionId: "00000000-0000-7000-8000-000000000000", userEpoch: Number.MAX_SAFE_INTEGER };
