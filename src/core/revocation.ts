import type { AccessClaims } from "./claims.ts";

/** What decides whether an access token is revoked. */
export type RevocableToken = Pick<AccessClaims, "sessionId" | "userId" | "userEpoch" | "tokenId" | "issuedAt">;

/** One entry of the feed: what is no longer valid, and since when (`at`, whole seconds, the store's clock). */
export type Revocation =
  /** Every token of this session. */
  | { readonly kind: "session"; readonly sessionId: string; readonly at: number }
  /** Every token of this user whose `ue` is below `epoch`. */
  | { readonly kind: "user"; readonly userId: string; readonly epoch: number; readonly at: number }
  /** The one access token with this `jti`. */
  | { readonly kind: "token"; readonly tokenId: string; readonly at: number }
  /** Every token with `iat` at or before `at`. */
  | { readonly kind: "all"; readonly at: number };

/** Where a reader of the feed has got to. Opaque: only the store that made it understands it. */
export type FeedCursor = string;

/** A batch of the feed. */
export interface FeedBatch {
  readonly revocations: readonly Revocation[];
  readonly cursor: FeedCursor;
  /** More was waiting than fits one batch: read again at once. */
  readonly more: boolean;
  /**
   * Of each revocation, the milliseconds since it was appended, by the store's own clock when it was read; `null` where
   * nobody knows. Absent from what is read from the beginning, which is not news.
   */
  readonly ages?: readonly (number | null)[];
  /** The store reads from the beginning, though it was asked for what comes after a cursor. */
  readonly isRestarted?: boolean;
}
