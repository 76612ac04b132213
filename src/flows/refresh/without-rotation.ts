import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { SessionSnapshot } from "../../core/store/sessions.ts";
import { hashSecret, isSameHash } from "../../crypto/secrets.ts";
import type { Deps } from "../deps.ts";
import { findTokenRefusal } from "../session-refusal.ts";
import type { PreparedTokens } from "../token-pair.ts";
import { type Refreshed, type RefreshOptions, toRefreshEvent, toRowClient } from "./report.ts";
import { sessionChanged } from "./rule.ts";

/**
 * Refreshes with `rotateRefreshTokens: false`: returns a new access token while the session's one refresh token is
 * valid. Reuse can't be detected.
 *
 * @throws AuthError as `refresh`.
 */
export async function refreshWithoutRotation(
  deps: Deps,
  presented: RefreshClaims,
  tokens: PreparedTokens,
  options: RefreshOptions,
): Promise<Refreshed> {
  const { sessionId, userId, userEpoch, generation, secret } = presented;
  const presentedHash = hashSecret(secret);
  const accessLifetime = deps.settings.accessTokenLifetime;
  const use = { sessionId, userId, userEpoch, generation, presentedHash, accessLifetime };
  const touch = () => deps.store.sessions.touch({ ...use, ...toRowClient(options) });
  let used = await touch();
  if (used === null) {
    const found = await deps.store.sessions.find(sessionId);
    const error = findTokenRefusal(found, presented) ?? findRefusalOfSecret(found, { generation, presentedHash });
    // A concurrent change has finished in between.
    used = error.code === "unavailable" ? await touch() : null;
    const report = { outcome: "refused", time: found?.now ?? deps.clock.now(), reason: error.reason } as const;
    if (used === null) {
      deps.emit(toRefreshEvent(presented, report, options));
      throw error;
    }
  }
  const { session, now } = used;
  deps.emit(toRefreshEvent(presented, { outcome: "not_rotated", time: now }, options));
  const access = tokens.mintAccess(used);
  return { outcome: "not_rotated", session, pair: { ...access, refreshExpiresIn: presented.expiresAt - now } };
}

/** Returns why the row of a live session didn't match its own token. */
function findRefusalOfSecret(
  found: SessionSnapshot | null,
  { generation, presentedHash }: { readonly generation: number; readonly presentedHash: Uint8Array },
): AuthError {
  const isCurrent = found?.session.generation === generation && isSameHash(found.session.currentHash, presentedHash);
  return isCurrent ? sessionChanged() : new AuthError("token_revoked", "not the session's current refresh token");
}
