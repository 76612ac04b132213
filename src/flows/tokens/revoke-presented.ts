import type { AccessClaims } from "../../core/claims.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import { isRefusal } from "../../core/errors.ts";
import type { RevokedToken } from "../../core/store/feed.ts";
import { commitRevocation } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { logoutByRefreshToken } from "../sessions/logout.ts";

/** The options of `revokePresented`. */
export interface RevokePresentedOptions {
  /** Who sent the request. */
  readonly client: ClientInfo;
}

/**
 * Revokes an access or refresh token (RFC 7009 §2.1). A refresh token of any generation revokes its session. An access
 * token revokes only itself. The change is durable when the promise fulfils, but it is not confirmed. If the token is
 * invalid, expired or already revoked, does nothing and doesn't throw (§2.2).
 *
 * @throws AuthError `unavailable`, with nothing changed.
 * @throws StoreUnavailableError with nothing changed.
 */
export async function revokePresented(deps: Deps, token: string, { client }: RevokePresentedOptions): Promise<void> {
  await deps.keys.ready(token);
  try {
    // A refresh token of simplejwt could still be redeemed.
    const claims = deps.legacyTokens?.verify(token) ?? deps.tokens.verifyAny(token);
    if (claims.type === "access") await revokeAccessToken(deps, claims, client);
    else await logoutByRefreshToken(deps, token, { client });
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

async function revokeAccessToken(deps: Deps, claims: AccessClaims, client: ClientInfo): Promise<void> {
  // What this node knows is durable already. So a client that repeats a request doesn't add entries to the feed.
  if (deps.revocations.isRevoked(claims)) return;
  const { tokenId, expiresAt: until } = claims;
  const eventsOf = ({ revocations: [{ at: time }] }: RevokedToken) =>
    [{ type: "token_revoked", time, tokenId, client }] as const;
  await commitRevocation(deps, {
    isConfirmed: false,
    eventsOf,
    write: (options) => deps.store.feed.revokeToken(tokenId, { ...options, until }),
  });
}
