import type { ApplicationClaims, RefreshClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import { hashSecret } from "../crypto/secrets.ts";
import type { Deps } from "./deps.ts";
import { type Refreshed, type RefreshOptions, refuse, report, toRowOrigin } from "./refresh-report.ts";
import { toDeathOfToken } from "./session-death.ts";
import { mintAccess } from "./token-pair.ts";

/**
 * What a refresh is with `rotateRefreshTokens: false`: a new access token while the session's one refresh token is alive.
 * Reuse cannot be detected.
 *
 * @throws AuthError as `refresh`.
 */
export async function renew(
  deps: Deps,
  presented: RefreshClaims,
  claims: ApplicationClaims,
  options: RefreshOptions,
): Promise<Refreshed> {
  const { sessionId, generation, secret } = presented;
  const presentedHash = hashSecret(secret);
  const used = await deps.store.sessions.touch({ sessionId, generation, presentedHash, ...toRowOrigin(options) });
  if (used === null) {
    const found = await deps.store.sessions.find(sessionId);
    const error =
      toDeathOfToken(found, presented) ?? new AuthError("token_revoked", "not the session's current refresh token");
    return refuse(deps, presented, { outcome: "refused", error, now: found?.now }, options);
  }
  report(deps, presented, { outcome: "renewed", now: used.now }, options);
  const access = mintAccess(deps, { ...used, claims });
  return {
    outcome: "renewed",
    session: used.session,
    pair: { ...access, refreshExpiresIn: presented.expiresAt - used.now },
  };
}
