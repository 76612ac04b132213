import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { AuthUser } from "../../core/user.ts";
import type { LegacyClaims } from "../../crypto/legacy/legacy-tokens.ts";
import { createSalt, deriveSecret, hashIdempotencyKey, hashSecret } from "../../crypto/secrets.ts";
import { commit, sessionsRevoked } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { redeemLegacyToken } from "../legacy/redeem.ts";
import { verifyAnyRefreshToken } from "../legacy/verify.ts";
import { findClaimMismatch, findSessionRefusal } from "../sessions/session-refusal.ts";
import { type PreparedTokens, prepareOwnTokens, prepareTokens } from "../sessions/token-pair.ts";
import { findPublicClaims } from "../tokens/public-claims.ts";
import { mayHaveTokens } from "../users/user-source.ts";
import {
  type RefreshByRouteOptions,
  type Refreshed,
  type RefreshOptions,
  reportRefusal,
  toRefreshEvent,
  toRowClient,
  withActorOf,
} from "./report.ts";
import type { Changed } from "./rule.ts";
import { decideSpent, type SpentOptions } from "./spent.ts";
import { refreshWithoutRotation } from "./without-rotation.ts";

/**
 * Returns the pair of generation n + 1 for the refresh token of generation n. The steps are those of docs/refresh.md.
 * During a migration from simplejwt, it also redeems a refresh token of simplejwt for a new session.
 *
 * @throws AuthError with a code that starts with `token_`, or with the code `password_changed`. `unavailable`, with the
 * session unchanged.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function refresh(deps: Deps, token: string, options: RefreshOptions = {}): Promise<Refreshed> {
  await deps.keys.ready(token);
  const presented = verifyPresented(deps, token, options);
  return presented.type === "legacy"
    ? redeemLegacyToken(deps, presented, options)
    : refreshVerified(deps, presented, options);
}

/** Verifies a token like `verifyRefreshToken`, but also accepts a refresh token of simplejwt. */
function verifyPresented(deps: Deps, token: string, options: RefreshOptions): RefreshClaims | LegacyClaims {
  try {
    return verifyAnyRefreshToken(deps, token);
  } catch (error) {
    if (error instanceof AuthError) reportRefusal(deps, null, error, options);
    throw error;
  }
}

/**
 * Does step 0 of a refresh: verifies the JWT with the keys that `ready` has loaded, without any database access. Emits an
 * event if the token is refused.
 *
 * @returns the claims, to be passed to `refreshVerified`.
 * @throws AuthError with a code that starts with `token_`.
 */
export function verifyRefreshToken(deps: Deps, token: string, options: RefreshOptions): RefreshClaims {
  try {
    return deps.tokens.verifyRefresh(token);
  } catch (error) {
    if (error instanceof AuthError) reportRefusal(deps, null, error, options);
    throw error;
  }
}

/**
 * Does steps 1 to 3 of a refresh.
 *
 * @param presented the claims that `verifyRefreshToken` returned.
 * @throws AuthError with the same codes as `refresh`.
 */
export async function refreshVerified(
  deps: Deps,
  presented: RefreshClaims,
  options: RefreshByRouteOptions,
): Promise<Refreshed> {
  // Everything that can fail is done before the session changes: the user, the claims, and the lengths of the tokens.
  const { tokens, user } = await prepareTokensOfUser(deps, presented, options);
  const readsPublicClaims = options.readsUser === true;
  const publicClaims = user === undefined ? {} : await findPublicClaims(deps, user, { readsPublicClaims });
  const refreshed = await (deps.settings.rotateRefreshTokens === true
    ? rotate(deps, presented, { ...options, tokens })
    : refreshWithoutRotation(deps, presented, { ...options, tokens }));
  return { ...refreshed, ...(user !== undefined && { user }), ...publicClaims };
}

/**
 * Does steps 1 to 3, at most twice. Between steps 2 and 3, another change of the row can happen, such as a logout of the
 * other sessions.
 */
async function rotate(
  deps: Deps,
  presented: RefreshClaims,
  options: Omit<SpentOptions, "isLastTry">,
): Promise<Refreshed> {
  // The same salt for both: the first try has stored nothing if there is a second one.
  const attempt = { ...options, salt: createSalt(deps.random) };
  const first = await tryToRotate(deps, presented, { ...attempt, isLastTry: false });
  if (first.outcome !== "changed") return first;
  const second = await tryToRotate(deps, presented, { ...attempt, isLastTry: true });
  if (second.outcome === "changed") throw second.error;
  return second;
}

interface Attempt extends SpentOptions {
  readonly salt: Uint8Array;
}

async function tryToRotate(
  deps: Deps,
  presented: RefreshClaims,
  { tokens, salt, isLastTry, ...options }: Attempt,
): Promise<Refreshed | Changed> {
  const { settings, store } = deps;
  const { sessionId, userId, userEpoch, generation, secret } = presented;

  // 1  Derive the successor from the presented secret and a fresh salt.
  const { idempotencyKey } = options;
  const successor = deriveSecret(secret, sessionId, generation + 1, salt);
  const presentedHash = hashSecret(secret);
  const idempotencyHash = idempotencyKey === undefined ? null : hashIdempotencyKey(idempotencyKey);

  // 2  One conditional UPDATE: it matches only the current generation of a live session of this user, who is active.
  const rotated = await store.sessions.rotate({
    sessionId,
    userId,
    userEpoch,
    generation,
    presentedHash,
    nextHash: hashSecret(successor),
    salt,
    idempotencyHash,
    idleLifetime: settings.refreshTokenLifetime,
    accessLifetime: settings.accessTokenLifetime,
    ...toRowClient(options),
    isAudited: settings.auditRotations && settings.auditRetention > 0,
  });
  if (rotated !== null) {
    const { session, now: time } = rotated;
    deps.emit(toRefreshEvent(presented, { outcome: "rotated", time }, withActorOf(options, session)));
    return { outcome: "rotated", session, pair: tokens.mintPair({ ...rotated, secret: successor }) };
  }

  return decideSpent(deps, presented, { ...options, tokens, isLastTry });
}

/**
 * Prepares tokens with the application's current claims. Reads the user at most once, and only if the session's row is not
 * enough to decide or `readsUser` is set.
 */
async function prepareTokensOfUser(
  deps: Deps,
  presented: RefreshClaims,
  options: RefreshByRouteOptions,
): Promise<{ readonly tokens: PreparedTokens; readonly user: AuthUser | undefined }> {
  const { settings, users } = deps;
  const { userId } = presented;
  const isDecidedByRow = users.isOwn && settings.claims === undefined && settings.userAuthenticationRule === undefined;
  const user = isDecidedByRow && !options.readsUser ? undefined : (await users.find(userId))?.user;
  if (isDecidedByRow) return { tokens: await prepareOwnTokens(deps, userId, options), user };
  if (user !== undefined && mayHaveTokens(settings, user)) {
    return { tokens: await prepareTokens(deps, user, options), user };
  }
  await revokeForUser(deps, presented, user === undefined ? "user_deleted" : "user_disabled", options);
  const error = new AuthError("token_user_inactive", "the user is gone or inactive", { sessionEnded: true });
  reportRefusal(deps, presented, error, options);
  throw error;
}

/** Revokes the session of a user who may no longer have tokens. Otherwise, the session's access tokens would stay valid. */
async function revokeForUser(
  deps: Deps,
  { userId, sessionId }: RefreshClaims,
  reason: "user_deleted" | "user_disabled",
  { client = {} }: RefreshOptions,
): Promise<void> {
  await commit(deps, sessionsRevoked({ userId, sessionId, reason, client }), (audit) =>
    deps.store.sessions.revoke(sessionId, reason, { userId, audit }),
  );
}

/**
 * Returns whether the session of a genuine but expired refresh token has ended. The token alone does not prove it, because
 * another tab may have refreshed the session in time.
 *
 * @throws AuthError with a code that starts with `token_` if the token is not genuine.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function isSessionOfExpiredTokenOver(deps: Deps, token: string): Promise<boolean> {
  await deps.keys.ready(token);
  const claims = deps.tokens.verifyRefresh(token, { mayBeExpired: true });
  const snapshot = await deps.store.sessions.find(claims.sessionId);
  return findClaimMismatch(snapshot, claims) === null && (findSessionRefusal(snapshot)?.sessionEnded ?? false);
}
