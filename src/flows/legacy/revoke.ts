import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { Store } from "../../core/store/index.ts";
import type { LegacyToken, RevokedTokens } from "../../core/store/legacy.ts";
import type { LegacyClaims } from "../../crypto/legacy/legacy-tokens.ts";
import type { EventsOf } from "../../events/events.ts";
import { type CommitDeps, type Confirmed, commit, commitRevocation, toConfirmed } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { findSessionRefusal } from "../sessions/session-refusal.ts";

/**
 * Logs out with a refresh token of simplejwt. The token can no longer be redeemed. If it was already redeemed, its session
 * is revoked.
 *
 * @throws AuthError `token_revoked` if the token was already revoked, or if its session is no longer live.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function logoutByLegacyToken(
  deps: Deps,
  { tokenId, expiresAt, userId }: LegacyClaims,
  { client, isConfirmed }: { readonly client: ClientInfo; readonly isConfirmed: boolean },
): Promise<Confirmed> {
  const eventsOf: EventsOf<RevokedTokens> = (revoked) => [
    ...revoked.tokenIds.map((id) => ({ type: "token_revoked", time: revoked.now, tokenId: id, client }) as const),
    ...legacySessionsRevoked({ reason: "logout", userId, client })(revoked),
  ];
  const revoked = await commitRevocation(deps, {
    isConfirmed,
    eventsOf,
    write: (options) => deps.store.legacy.revoke([{ tokenId, expiresAt }], "logout", options),
  });
  if (revoked.tokenIds.length + revoked.sessions === 0) {
    throw new AuthError("token_revoked", "the token is spent, and its session is over", { sessionEnded: true });
  }
  return toConfirmed(revoked);
}

/** The dependencies of an import of revoked tokens. */
export interface RevokedTokensDeps extends CommitDeps {
  readonly store: Pick<Store, "legacy">;
}

/** The result of importing a batch of revoked tokens. */
export interface RevokedTokensAnswer {
  /** The number of tokens that were not stored before. */
  readonly stored: number;
  /** The number of sessions that were revoked, because their tokens had already been redeemed. */
  readonly revokedSessions: number;
}

/** Imports tokens that simplejwt has revoked, in one transaction. They can no longer be redeemed. */
export async function importRevokedTokens(
  deps: RevokedTokensDeps,
  tokens: readonly LegacyToken[],
  client: ClientInfo,
): Promise<RevokedTokensAnswer> {
  const { tokenIds, sessions } = await commit(deps, legacySessionsRevoked({ reason: "revoked", client }), (audit) =>
    deps.store.legacy.revoke(tokens, "revoked", { audit }),
  );
  return { stored: tokenIds.length, revokedSessions: sessions };
}

/** Returns the result that `importRevokedTokens` would have, and changes nothing. */
export async function rehearseRevokedTokens(
  store: Pick<Store, "legacy" | "sessions">,
  tokens: readonly LegacyToken[],
): Promise<RevokedTokensAnswer> {
  let [stored, revokedSessions] = [0, 0];
  for (const { tokenId } of tokens) {
    const spent = await store.legacy.find(tokenId);
    if (spent === null) stored += 1;
    else if (spent.sessionId !== null && findSessionRefusal(await store.sessions.find(spent.sessionId)) === null) {
      revokedSessions += 1;
    }
  }
  return { stored, revokedSessions };
}

/** Returns the events about revoked sessions for which the tokens had been redeemed. */
function legacySessionsRevoked(subject: {
  readonly reason: "logout" | "revoked";
  readonly userId?: string;
  readonly client: ClientInfo;
}): EventsOf<RevokedTokens> {
  return ({ sessionIds, now: time }) =>
    sessionIds.map((sessionId) => ({ type: "sessions_revoked", time, sessions: 1, ...subject, sessionId }));
}
