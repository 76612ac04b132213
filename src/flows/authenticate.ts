import type { AccessClaims, ApplicationClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { AuthUser } from "../core/user.ts";
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
 * `checkUserIsActive` and `onStale: "lookup"` may require.
 * @throws AuthError a `token_` code; `user_not_found` or `user_inactive`; `unavailable` if this node can't know whether
 * the token is revoked, or if the application's function fails. StoreUnavailableError. A promise rejects with the same
 * errors.
 */
export function authenticate(deps: Deps, token: string): Authentication | Promise<Authentication> {
  const claims = deps.tokens.verifyAccess(token);
  const lookup = requireNotRevoked(deps, claims);
  const { loadUser, checkUserIsActive } = deps.settings;
  return lookup === undefined && !loadUser && !checkUserIsActive ? claims : completeLookups(deps, claims, lookup);
}

/**
 * Checks claims against the revocations in memory. If those are stale, `onStale` decides whether this fails closed or
 * asks the store. It always fails closed before the first load.
 *
 * @returns `undefined` if memory was enough; a promise if the store is queried.
 * @throws AuthError `token_revoked`; `unavailable` if this node can't know. The promise may also reject with
 * StoreUnavailableError.
 */
export function requireNotRevoked(
  { feed, revocations, settings, store }: Pick<Deps, "feed" | "revocations" | "settings" | "store">,
  claims: AccessClaims,
): Promise<void> | undefined {
  const isFresh = feed.isFresh();
  if (!isFresh && !(settings.onStale === "lookup" && feed.isLoaded())) {
    throw new AuthError("unavailable", "revocations are not loaded or too stale");
  }
  // A revocation that this node knows holds even if its knowledge is stale.
  if (revocations.isRevoked(claims)) throw new AuthError("token_revoked", "revoked");
  return isFresh ? undefined : requireNotRevokedInStore(store, claims);
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
