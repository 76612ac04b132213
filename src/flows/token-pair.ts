import type { ApplicationClaims, TokenPair } from "../core/claims.ts";
import type { Session } from "../core/session.ts";
import type { AuthUser } from "../core/user.ts";
import type { Deps } from "./deps.ts";
import { callHook } from "./hook.ts";

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
    issuedAt: toIssuedAt(deps, session.rotatedAt ?? session.createdAt),
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
    issuedAt: toIssuedAt(deps, now),
    expiresAt,
    claims,
  });
  return { access, accessExpiresIn: expiresAt - now };
}

/** The store's time, but never ahead of this node's clock, which would refuse the token as one from the future. */
function toIssuedAt({ clock }: Deps, storeTime: number): number {
  return Math.min(storeTime, clock.now());
}

/**
 * Asks the `claims` hook and tries its answer on, so that nothing has been changed yet where it cannot be used.
 *
 * @throws AuthError `unavailable` where the hook fails, or its claims take our names or make the token too long.
 */
export async function toApplicationClaims(deps: Deps, user: AuthUser): Promise<ApplicationClaims> {
  const { claims: hook } = deps.settings;
  if (hook === undefined) return {};
  return callHook("claims", async () => {
    const claims = toPlainObject(await hook(user));
    const { now } = deps.clock;
    deps.tokens.mintAccess({ ...sample, userId: user.id, issuedAt: now(), expiresAt: now(), claims });
    return claims;
  });
}

/** The JSON of `claims` and nothing that could write itself in another way, as an own `toJSON` would. */
function toPlainObject(claims: ApplicationClaims): ApplicationClaims {
  const plain: unknown = JSON.parse(JSON.stringify(claims));
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) throw new TypeError("claims: not an object");
  return plain as ApplicationClaims;
}

const sample = { sessionId: "00000000-0000-7000-8000-000000000000", userEpoch: Number.MAX_SAFE_INTEGER };
