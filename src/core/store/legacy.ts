import type { AuditOf } from "./audit.ts";
import type { CreatedSession, NewSession, RevocationOptions, RevokedSessions } from "./sessions.ts";

/**
 * Refresh tokens of the system that users are migrated from, by their `jti`. Each token can be redeemed for a session once.
 * A row means that its token is spent: it was redeemed or revoked.
 */
export interface LegacyStore {
  /**
   * Spends a token and inserts its session, in one transaction. If several calls have the same token, only one of them
   * succeeds. Locks the user's row, like `sessions.create`.
   *
   * @returns `spent`, with nothing changed, if the token was already spent. This doesn't depend on the user's state.
   */
  redeem(session: RedeemedSession, token: RedeemedToken, audit?: AuditOf<CreatedSession>): Promise<RedeemOutcome>;
  /** Returns what a token was spent for, or `null` if it isn't spent. */
  find(tokenId: string): Promise<SpentToken | null>;
  /**
   * Spends tokens, so that they can no longer be redeemed, and revokes the sessions for which they have already been
   * redeemed. `audit` isn't called if every token was already spent and no session was revoked.
   */
  revoke(
    tokens: readonly LegacyToken[],
    reason: "logout" | "revoked",
    options?: RevocationOptions<RevokedTokens>,
  ): Promise<RevokedTokens>;
  /** Counts the rows. It reads all of them, so call it only for operators, and once at startup. */
  count(): Promise<LegacyCounts>;
}

/** A token of the other system. */
export interface LegacyToken {
  /** The token's `jti`. */
  readonly tokenId: string;
  /** The token's `exp`, in whole seconds since the epoch. After this time, its row can be deleted. */
  readonly expiresAt: number;
}

/** A token to redeem. */
export interface RedeemedToken extends LegacyToken {
  /**
   * The token's `iat`, in whole seconds since the epoch. The token is refused if all tokens that were issued up to then
   * have been revoked.
   */
  readonly issuedAt: number;
  /** Whether the user must have been imported. Only then is the user with this id certainly the token's user. */
  readonly needsImport: boolean;
}

/** The session to insert. It is stored as if the token were the refresh token of generation -1 and had been rotated. */
export interface RedeemedSession extends Omit<NewSession, "replaces" | "updateLastLogin"> {
  /** SHA-256 of the secret that is derived from the token. */
  readonly previousHash: Uint8Array;
  /** The salt that derives the first generation's secret from that secret. */
  readonly salt: Uint8Array;
  /** SHA-256 of the client's idempotency key, or `null` if the client sent none. */
  readonly idempotencyHash: Uint8Array | null;
}

/** What a token was spent for. */
export interface SpentToken {
  /** The session for which the token was redeemed, or `null` if the token was revoked. */
  readonly sessionId: string | null;
}

/** The result of `redeem`. */
export type RedeemOutcome =
  | CreatedSession
  | ({ readonly outcome: "spent" } & SpentToken)
  | {
      readonly outcome: "refused";
      /**
       * Why the token was refused: what happened to the user, or `all_revoked` if every token of the other system has been
       * revoked since this one was issued.
       */
      readonly reason: "user_gone" | "user_inactive" | "user_epoch_changed" | "not_imported" | "all_revoked";
    };

/** Tokens that were revoked, with the sessions for which some of them had been redeemed. */
export interface RevokedTokens extends RevokedSessions {
  /** The tokens that had not been spent before. */
  readonly tokenIds: readonly string[];
  /** The sessions that were revoked. */
  readonly sessionIds: readonly string[];
  /** The time of the change, in whole seconds since the epoch. */
  readonly now: number;
}

/** How many tokens are spent. */
export interface LegacyCounts {
  /** The number of tokens that were redeemed for a session. */
  readonly redeemed: number;
  /** The number of tokens that were revoked before they were redeemed. */
  readonly revoked: number;
}
