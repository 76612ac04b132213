import type { ApplicationClaims, TokenPair } from "../core/claims.ts";
import type { Session } from "../core/session.ts";
import type { AuthUser } from "../core/user.ts";
import type { Deps } from "./deps.ts";
import { callHook } from "./hook.ts";

/** What a pair is minted from. */
export interface PairSource {
  /** The session's row. */
  readonly session: Session;
  /** The secret of the session's current generation. */
  readonly secret: Uint8Array;
  /** The application's claims, for the access token. */
  readonly claims: ApplicationClaims;
  /** The database's time of the transaction that allowed the pair: whole seconds since the epoch. */
  readonly now: number;
}

/**
 * Mints the pair of the session's current generation. The refresh token depends only on the row and the secret, so a
 * replay gets the same token. No token outlives the session (invariant I5).
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

/** Mints a new access token of the session, without a refresh token. */
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

/** Returns the store's time, but at most this node's: the node would refuse a token from the future. */
function toIssuedAt({ clock }: Deps, storeTime: number): number {
  return Math.min(storeTime, clock.now());
}

/**
 * Calls the `claims` hook and mints a token with its claims on trial, so that an unusable result is found before
 * anything changes.
 *
 * @returns the claims; none if there is no hook.
 * @throws AuthError `unavailable` if the hook fails, if its claims use reserved names, or if they make the token too
 * long.
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

/**
 * Returns what JSON keeps of `claims`: an own `toJSON` could otherwise return other claims when the token is minted.
 */
function toPlainObject(claims: ApplicationClaims): ApplicationClaims {
  const plain: unknown = JSON.parse(JSON.stringify(claims));
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) throw new TypeError("claims: not an object");
  return plain as ApplicationClaims;
}

/** The other contents of the trial token. No real token has longer ones. */
const sample = { sessionId: "00000000-0000-7000-8000-000000000000", userEpoch: Number.MAX_SAFE_INTEGER };
