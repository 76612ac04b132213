import type { AccessClaims, ApplicationClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { AuthUser } from "../core/user.ts";
import type { Deps } from "./deps.ts";
import { mayHaveTokens } from "./user-source.ts";

/** A request's proven identity. `user` is there with `loadUser` only. */
export interface Authentication<U extends AuthUser = AuthUser, C extends ApplicationClaims = ApplicationClaims>
  extends AccessClaims<C> {
  readonly user?: U;
}

/**
 * Proves an access token from memory: signature, claims, revocations. With `loadUser` or `checkUserIsActive` it asks for
 * the user as well.
 *
 * @throws AuthError a `token_` code; `user_not_found` or `user_inactive`; `unavailable` or StoreUnavailableError where
 * nobody can say whether the token is revoked.
 */
export async function authenticate(deps: Deps, token: string): Promise<Authentication> {
  return authenticateAtOnce(deps, token) ?? (await authenticateByAsking(deps, token));
}

/**
 * As `authenticate`, without a promise: what nearly every request takes. `null` where memory is not enough.
 *
 * @throws AuthError a `token_` code
 */
export function authenticateAtOnce(deps: Deps, token: string): Authentication | null {
  const { loadUser, checkUserIsActive } = deps.settings;
  if (loadUser || checkUserIsActive || !deps.feed.isFresh()) return null;
  const claims = deps.tokens.verifyAccess(token);
  requireUnknownToBeRevoked(deps, claims);
  return claims;
}

async function authenticateByAsking(deps: Deps, token: string): Promise<Authentication> {
  const claims = deps.tokens.verifyAccess(token);
  await requireNotRevoked(deps, claims);
  const { loadUser, checkUserIsActive } = deps.settings;
  if (!loadUser && !checkUserIsActive) return claims;
  const user = await requireActiveUser(deps, claims.userId);
  return loadUser ? { ...claims, user } : claims;
}

/**
 * Answers from memory while that is fresh; then fails closed or asks the store, as `onStale` says. Before the first load
 * it always fails closed.
 *
 * @throws AuthError `token_revoked`, or `unavailable` where this node cannot know; StoreUnavailableError.
 */
export async function requireNotRevoked(
  { feed, revocations, settings, store }: Pick<Deps, "feed" | "revocations" | "settings" | "store">,
  claims: AccessClaims,
): Promise<void> {
  const isFresh = feed.isFresh();
  if (!isFresh && !(settings.onStale === "lookup" && feed.isLoaded())) {
    throw new AuthError("unavailable", "revocations are not loaded or too stale");
  }
  requireUnknownToBeRevoked({ revocations }, claims);
  if (!isFresh && (await store.feed.isRevoked(claims))) throw new AuthError("token_revoked", "revoked, says the store");
}

/** What this node knows stays true, however old it is. @throws AuthError `token_revoked` */
function requireUnknownToBeRevoked({ revocations }: Pick<Deps, "revocations">, claims: AccessClaims): void {
  if (revocations.isRevoked(claims)) throw new AuthError("token_revoked", "revoked");
}

async function requireActiveUser(deps: Deps, userId: string): Promise<AuthUser> {
  const found = await deps.users.find(userId);
  if (found === null) throw new AuthError("user_not_found", "no such user");
  if (!mayHaveTokens(deps.settings, found.user)) {
    throw new AuthError("user_inactive", "the user is inactive");
  }
  return found.user;
}
