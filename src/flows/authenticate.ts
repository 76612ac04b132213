import { type AuthenticationRequirement, checkRequirement } from "../core/authentication.ts";
import type { AccessClaims, ApplicationClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { AuthUser } from "../core/user.ts";
import type { Feed } from "../revocation/feed.ts";
import type { RevocationIndex } from "../revocation/revocation-index.ts";
import type { Deps } from "./deps.ts";
import { mayHaveTokens } from "./user-source.ts";

/** Who sent a request: the claims of a valid access token. */
export interface Authentication<U extends AuthUser = AuthUser, C extends object = ApplicationClaims>
  extends AccessClaims<C> {
  /** The user; present only with `loadUser`. */
  readonly user?: U;
}

/**
 * Verifies an access token: signature, claims, revocations. Memory is nearly always enough.
 *
 * @returns the claims; a promise of them if the store or the application must be queried, which `loadUser`,
 * `checkUserIsActive` and `onStale: "lookup"` may require, and a key that this node doesn't know yet.
 * @throws AuthError a `token_` code; `user_not_found` or `user_inactive`; `unavailable` if this node can't know whether
 * the token is revoked, or if the application's function fails. StoreUnavailableError. A promise rejects with the same
 * errors.
 */
export function authenticate(deps: Deps, token: string): Authentication | Promise<Authentication> {
  try {
    return authenticateByKnownKey(deps, token);
  } catch (error) {
    if (!deps.keys.mayKnowLater(token)) throw error;
    return authenticateByNewKey(deps, token);
  }
}

/** Another node may have added the token's key a moment ago. */
async function authenticateByNewKey(deps: Deps, token: string): Promise<Authentication> {
  await deps.keys.ready(token);
  return authenticateByKnownKey(deps, token);
}

function authenticateByKnownKey(deps: Deps, token: string): Authentication | Promise<Authentication> {
  // One reading of the clock for the token's times and the node's lease.
  const wall = deps.clock.wall();
  const claims = deps.tokens.verifyAccess(token, Math.floor(wall / 1000));
  const lookup = requireNotRevoked(deps, claims, wall);
  const { loadUser, checkUserIsActive } = deps.settings;
  return lookup === undefined && !loadUser && !checkUserIsActive
    ? claims
    : completeLookups(deps, claims, lookup && requireCurrentKey(deps, token, lookup));
}

/**
 * Requires that the user was authenticated recently enough, and by these methods. No I/O.
 *
 * @param now the wall clock in whole seconds.
 * @throws AuthError `confirmation_required`, with the `requirement`. TypeError if the requirement makes no sense.
 */
export function requireAuthentication(claims: AccessClaims, requirement: AuthenticationRequirement, now: number): void {
  const { maxAge, amr = [] } = requirement;
  if (maxAge === undefined && requirement.amr === undefined) return;
  checkRequirement(requirement, "requireUser");
  const isRecent = maxAge === undefined || (claims.authTime !== null && now - claims.authTime <= maxAge);
  if (isRecent && amr.every((method) => claims.amr.includes(method))) return;
  const reason = isRecent ? "another authentication method is required" : "the authentication is too old";
  throw new AuthError("confirmation_required", reason, { requirement: { maxAge, amr: requirement.amr } });
}

/**
 * Completes a look-up of revocations, and requires that the token's key was not retired meanwhile: the feed reports both, and it
 * is stale.
 *
 * @param lookup what `requireNotRevoked` returned.
 * @throws AuthError as `requireNotRevoked` does; `token_invalid`. StoreUnavailableError.
 */
export async function requireCurrentKey(
  { keys, tokens }: Pick<Deps, "keys" | "tokens">,
  token: string,
  lookup: Promise<void>,
): Promise<void> {
  await lookup;
  await keys.ready();
  tokens.verifyAccess(token);
}

/**
 * Checks claims against the revocations in memory. If those are stale, `onStale` decides whether this fails closed, waits for
 * the read in flight, or asks the store. It always fails closed before the first load.
 *
 * @param wall the wall clock in milliseconds, if the caller has read it already.
 * @returns `undefined` if memory was enough; a promise otherwise.
 * @throws AuthError `token_revoked`; `unavailable` if this node can't know. The promise may also reject with
 * StoreUnavailableError.
 */
export function requireNotRevoked(
  { feed, revocations, settings, store }: Pick<Deps, "feed" | "revocations" | "settings" | "store">,
  claims: AccessClaims,
  wall?: number,
): Promise<void> | undefined {
  // The lease before the index, with nothing in between: what the index lacks is younger than the lease.
  const isFresh = feed.isFresh(wall);
  if (!isFresh && (settings.onStale === "refuse" || !feed.isLoaded())) throw tooStale();
  // A revocation that this node knows holds even if its knowledge is stale.
  if (revocations.isRevoked(claims)) throw new AuthError("token_revoked", "revoked");
  if (isFresh) return undefined;
  return settings.onStale === "lookup"
    ? requireNotRevokedInStore(store, claims)
    : requireNotRevokedWhenFresh(feed, revocations, claims);
}

const tooStale = () => new AuthError("unavailable", "revocations are not loaded or too stale");

async function requireNotRevokedWhenFresh(
  feed: Feed,
  revocations: RevocationIndex,
  claims: AccessClaims,
): Promise<void> {
  await feed.whenFresh();
  if (!feed.isFresh()) throw tooStale();
  if (revocations.isRevoked(claims)) throw new AuthError("token_revoked", "revoked");
}

/**
 * Returns whether an authenticated request may still continue: its token has not expired, and this node knows of no revocation.
 * Call it right before a side effect of a request that takes long. No I/O.
 */
export function isStillValid(
  { feed, revocations, settings, clock }: Pick<Deps, "feed" | "revocations" | "settings" | "clock">,
  claims: AccessClaims,
): boolean {
  const wall = clock.wall();
  return feed.isFresh(wall) && wall / 1000 < claims.expiresAt + settings.leeway && !revocations.isRevoked(claims);
}

async function requireNotRevokedInStore({ feed }: Deps["store"], claims: AccessClaims): Promise<void> {
  if (await feed.isRevoked(claims)) throw new AuthError("token_revoked", "revoked according to the store");
}

async function completeLookups(
  deps: Deps,
  claims: AccessClaims,
  lookup: Promise<void> | undefined,
): Promise<Authentication> {
  await lookup;
  const { loadUser, checkUserIsActive } = deps.settings;
  if (!loadUser && !checkUserIsActive) return claims;
  const found = await deps.users.find(claims.userId);
  if (found === null) throw new AuthError("user_not_found", "no such user");
  if (!mayHaveTokens(deps.settings, found.user)) throw new AuthError("user_inactive", "the user is inactive");
  return loadUser ? { ...claims, user: found.user } : claims;
}
