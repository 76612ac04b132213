import type { AccessClaims } from "./claims.ts";

/** The claims that decide whether an access token is revoked. */
export type RevocableToken = Pick<AccessClaims, "sessionId" | "userId" | "userEpoch" | "tokenId" | "issuedAt">;

/** One entry of the revocation feed: which access tokens are revoked. */
export type Revocation = {
  /** When the entry was appended: whole seconds since the epoch on the database's clock. */
  readonly at: number;
} & (
  | {
      readonly kind: "session";
      /** Every token with this `sid` is revoked. */
      readonly sessionId: string;
    }
  | {
      readonly kind: "user";
      /** Every token of this user with a `ue` below `epoch` is revoked. */
      readonly userId: string;
      /** The user's new epoch. */
      readonly epoch: number;
    }
  | {
      readonly kind: "token";
      /** The token with this `jti` is revoked. */
      readonly tokenId: string;
    }
  /** Every token with an `iat` that is not later than `at` is revoked. */
  | { readonly kind: "all" }
);

/** A reader's position in the revocation feed. Opaque: only the store that made it can read it. */
export type FeedCursor = string;

/** A batch of the revocation feed. */
export interface FeedBatch {
  /** The entries, in the order of the feed. */
  readonly revocations: readonly Revocation[];
  /** Where the next read continues. */
  readonly cursor: FeedCursor;
  /** Whether more entries were waiting than fit into one batch. Read again at once then. */
  readonly more: boolean;
  /**
   * The age of each revocation in milliseconds, on the database's clock when it was read; `null` if it is unknown.
   * Missing if the feed was read from the beginning.
   */
  readonly ages?: readonly (number | null)[];
  /** Whether the store read from the beginning although it was given a cursor. */
  readonly isRestarted?: boolean;
}
