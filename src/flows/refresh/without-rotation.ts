import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { SessionSnapshot } from "../../core/store/sessions.ts";
import { hashSecret, isSameHash } from "../../crypto/secrets.ts";
import type { Deps } from "../deps.ts";
import { findTokenRefusal } from "../sessions/session-refusal.ts";
import type { PreparedTokens } from "../sessions/token-pair.ts";
import { type Refreshed, type RefreshOptions, toRefreshEvent, toRowClient, withActorOf } from "./report.ts";
import { sessionChanged } from "./rule.ts";

/** The options of a refresh without rotation. */
interface WithoutRotationOptions extends RefreshOptions {
  readonly tokens: PreparedTokens;
  /**
   * Whether the client gets a refresh token of the same generation, even if `rotateRefreshTokens` isn't `"observe"`.
   * Default: false.
   */
  readonly returnsRefreshToken?: boolean;
}

/**
 * The maximum difference between the clocks of nodes and database, in seconds. A token's `iat` is at most the time of the
 * node that issued it.
 */
const clockTolerance = 60;

/**
 * Refreshes without rotation: returns a new access token as long as the session's only generation is valid. Reuse can't be
 * detected. With `rotateRefreshTokens: "observe"`, it also returns a refresh token of the same generation. If the presented
 * token would count as reused with rotation, it emits the outcome `rotation_ignored`.
 *
 * @throws AuthError with the same codes as `refresh`.
 */
export async function refreshWithoutRotation(
  deps: Deps,
  presented: RefreshClaims,
  { tokens, returnsRefreshToken = false, ...options }: WithoutRotationOptions,
): Promise<Refreshed> {
  const { settings, store } = deps;
  const { sessionId, userId, userEpoch, generation, secret } = presented;
  const presentedHash = hashSecret(secret);
  const isObserving = settings.rotateRefreshTokens === "observe";
  const before = isObserving ? await store.sessions.find(sessionId) : null;
  const accessLifetime = settings.accessTokenLifetime;
  const use = { sessionId, userId, userEpoch, generation, presentedHash, accessLifetime };
  const touch = () => store.sessions.touch({ ...use, ...toRowClient(options), issuesRefreshToken: isObserving });
  let used = await touch();
  if (used === null) {
    const found = await store.sessions.find(sessionId);
    const error = findTokenRefusal(found, presented) ?? findRefusalOfSecret(found, { generation, presentedHash });
    // A concurrent change has finished in between.
    used = error.code === "unavailable" ? await touch() : null;
    const report = { outcome: "refused", time: found?.now ?? deps.clock.now(), reason: error.reason } as const;
    if (used === null) {
      deps.emit(toRefreshEvent(presented, report, withActorOf(options, found?.session)));
      throw error;
    }
  }
  const { session, now } = used;
  const isIgnored = before !== null && isRotationIgnored(presented, before, settings.reuseInterval);
  const report = { outcome: isIgnored ? "rotation_ignored" : "not_rotated", time: now } as const;
  deps.emit(toRefreshEvent(presented, report, withActorOf(options, session)));
  if (isObserving || returnsRefreshToken)
    return { outcome: "not_rotated", session, pair: tokens.mintPair({ ...used, secret }) };
  const access = tokens.mintAccess(used);
  return { outcome: "not_rotated", session, pair: { ...access, refreshExpiresIn: presented.expiresAt - now } };
}

/** Returns whether the client presents a token although it was given a later one, longer ago than the reuse interval. */
function isRotationIgnored(
  { issuedAt }: RefreshClaims,
  { session, now }: SessionSnapshot,
  reuseInterval: number,
): boolean {
  const { rotatedAt } = session;
  return rotatedAt !== null && issuedAt < rotatedAt - clockTolerance && now > rotatedAt + reuseInterval;
}

/** Returns why a live session's row didn't match a token of that session. */
function findRefusalOfSecret(
  found: SessionSnapshot | null,
  { generation, presentedHash }: { readonly generation: number; readonly presentedHash: Uint8Array },
): AuthError {
  const isCurrent = found?.session.generation === generation && isSameHash(found.session.currentHash, presentedHash);
  return isCurrent ? sessionChanged() : new AuthError("token_revoked", "not the session's current refresh token");
}
