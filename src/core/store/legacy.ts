import type { AuditOf } from "./audit.ts";
import type { CreatedSession, NewSession, RevocationOptions, RevokedSessions } from "./sessions.ts";

/**
 * Refresh tokens of the system that users come from, by their `jti`. Each can be redeemed for a session once. A row says that
 * its token is spent: it was redeemed, or revoked.
 */
export interface LegacyStore {
  /**
   * Spends a token and inserts its session, in one transaction: of several calls with one token, one wins. Locks the user's row
   * as `sessions.create` does.
   *
   * @returns `spent` if the token was spent before, whatever has become of the user; then nothing has changed.
   */
  redeem(session: RedeemedSession, token: RedeemedToken, audit?: AuditOf<CreatedSession>): Promise<RedeemOutcome>;
  /** Returns what a token was spent for; `null` if it isn't spent. */
  find(tokenId: string): Promise<SpentToken | null>;
  /**
   * Spends tokens, so that they can't be redeemed any more, and revokes the sessions for which they were redeemed already.
   * `audit` isn't called if every token was spent before and no session was revoked.
   */
  revoke(
    tokens: readonly LegacyToken[],
    reason: "logout" | "revoked",
    options?: RevocationOptions<RevokedTokens>,
  ): Promise<RevokedTokens>;
  /** Counts the rows. Reads all of them: for operators, and once at a start. */
  count(): Promise<LegacyCounts>;
}

/** A token of the other system. */
export interface LegacyToken {
  /** Its `jti`. */
  readonly tokenId: string;
  /** Its `exp`: whole seconds since the epoch. Afterwards its row can be deleted. */
  readonly expiresAt: number;
}

/** A token to redeem. */
export interface RedeemedToken extends LegacyToken {
  /** Its `iat`: whole seconds since the epoch. The token is refused if everything that was issued then has been revoked. */
  readonly issuedAt: number;
  /** Whether the user must have been imported, so that the token's user is the one with the same id here. */
  readonly needsImport: boolean;
}

/** The session to insert. It is stored as if the token were the refresh token of generation -1 and had been rotated. */
export interface RedeemedSession extends Omit<NewSession, "replaces" | "updateLastLogin"> {
  /** SHA-256 of the secret that the token yields. */
  readonly previousHash: Uint8Array;
  /** The salt that derives the first generation's secret from it. */
  readonly salt: Uint8Array;
  /** SHA-256 of the client's idempotency key; `null` if the client sent none. */
  readonly idempotencyHash: Uint8Array | null;
}

/** What a token was spent for. */
export interface SpentToken {
  /** The session for which the token was redeemed; `null` if the token was revoked. */
  readonly sessionId: string | null;
}

/** The result of `redeem`. */
export type RedeemOutcome =
  | CreatedSession
  | ({ readonly outcome: "spent" } & SpentToken)
  | {
      readonly outcome: "refused";
      /** What has become of the user, or `all_revoked`: every token of the other system was revoked after this one was issued. */
      readonly reason: "user_gone" | "user_inactive" | "user_epoch_changed" | "not_imported" | "all_revoked";
    };

/** Tokens that were revoked, and the sessions for which some of them had been redeemed. */
export interface RevokedTokens extends RevokedSessions {
  /** The tokens that were not spent before. */
  readonly tokenIds: readonly string[];
  /** The sessions that were revoked. */
  readonly sessionIds: readonly string[];
  /** Whole seconds since the epoch. */
  readonly now: number;
}

/** How many tokens are spent. */
export interface LegacyCounts {
  /** Tokens that were redeemed for a session. */
  readonly redeemed: number;
  /** Tokens that were revoked before they could be redeemed. */
  readonly revoked: number;
}
