import type { AccessClaims, ApplicationClaims } from "../../core/claims.ts";
import { AuthError, isRefusal } from "../../core/errors.ts";
import type { AuthUser } from "../../core/user.ts";
import type { Feed } from "../../revocation/feed.ts";
import type { RevocationIndex } from "../../revocation/revocation-index.ts";
import type { Deps } from "../deps.ts";
import { mayHaveTokens } from "../users/user-source.ts";

/** Who sent a request, as the claims of a valid access token. */
export interface Authentication<U extends AuthUser = AuthUser, C extends object = ApplicationClaims>
  extends AccessClaims<C> {
  /** The user. Present only with `loadUser`. */
  readonly user?: U;
}

/**
 * Verifies an access token: its signature, its claims, and that it isn't revoked. Nearly always works from memory.
 *
 * @returns the claims, or a promise of them if the store or the application must be queried. This can happen with
 * `loadUser`, `checkUserIsActive` and `onStale: "lookup"`, or if this node doesn't know the token's key yet.
 * @throws AuthError with a code that starts with `token_`, or with the code `user_not_found` or `user_inactive`.
 * `unavailable` if this node can't know whether the token is revoked, or if the application's function fails. A promise
 * rejects with the same errors.
 * @throws StoreUnavailableError if the store can't answer.
 */
export function authenticate(deps: Deps, token: string): Authentication | Promise<Authentication> {
  try {
    return authenticateByKnownKey(deps, token);
  } catch (error) {
    if (!deps.keys.mayKnowLater(token)) throw error;
    return authenticateByNewKey(deps, token);
  }
}

/** Authenticates after reading the keys again, because another node may just have added the token's key. */
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
 * Completes a look-up of revocations, and requires that the token's key was not retired meanwhile: the feed reports both, and it
 * is stale.
 *
 * @param lookup the promise that `requireNotRevoked` returned.
 * @throws AuthError with the codes of `requireNotRevoked`, or `token_invalid`.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function requireCurrentKey(
  { keys, settings, tokens }: Pick<Deps, "keys" | "settings" | "tokens">,
  token: string,
  lookup: Promise<void>,
): Promise<void> {
  await lookup;
  await keys.ready(token, { maxAge: settings.maxStaleness * 1000 });
  tokens.verifyAccess(token);
}

/**
 * Checks claims against the revocations in memory. If these are stale, `onStale` decides whether to refuse the request,
 * wait for the read in flight, or query the store. Before the first load, it always refuses.
 *
 * @param wall the time of the wall clock in milliseconds, if the caller has already read it.
 * @returns `undefined` if memory was enough, otherwise a promise.
 * @throws AuthError `token_revoked`, or `unavailable` if this node can't know whether the token is revoked.
 * @throws StoreUnavailableError if the store can't answer. Only the promise rejects with it.
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
 * Returns whether an access token is refused for a reason that a refresh may cure: it has expired, is revoked, or isn't one of
 * this installation's. Decides from memory: a token whose key this node may still learn counts as good. No I/O.
 */
export function needsRefresh(
  { keys, revocations, tokens }: Pick<Deps, "keys" | "revocations" | "tokens">,
  token: string,
): boolean {
  try {
    return revocations.isRevoked(tokens.verifyAccess(token));
  } catch (error) {
    if (error instanceof AuthError) return isRefusal(error) && !keys.mayKnowLater(token);
    throw error;
  }
}

/**
 * Returns whether an authenticated request may still continue: its token has not expired, and this node knows of no
 * revocation of it. Call it in a slow request, right before a side effect. No I/O.
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
