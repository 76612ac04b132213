import type { FeedBatch, FeedCursor, RevocableToken, Revocation } from "../revocation.ts";
import type { AuditOf } from "./audit.ts";

/** The revocation feed: an append-only table that every node reads. */
export interface FeedStore {
  /** Milliseconds between two reads of the feed, whether or not the node was woken. */
  readonly pollInterval: number;
  /**
   * Returns the entries after `after`; with `null`, every entry of the last `horizon` seconds. Never skips an entry,
   * however late its transaction committed.
   */
  read(options: { readonly after: FeedCursor | null; readonly horizon: number }): Promise<FeedBatch>;
  /**
   * Calls `wake` soon after entries may have been appended. It is only a hint. A store that learns of entries through a
   * connection calls `onListening` when that connection is lost (with `reason`) and when it is back.
   *
   * @returns a function that ends the subscription.
   */
  subscribe(wake: () => void, onListening?: (isListening: boolean, reason?: string) => void): () => void;
  /**
   * Returns whether `token` is revoked by what is committed now, from one consistent read: its session is revoked or
   * unknown, its user is gone or has a higher epoch, the token itself is revoked, or all tokens of its time are.
   */
  isRevoked(token: RevocableToken): Promise<boolean>;
  /** Revokes the one access token with this id. */
  revokeToken(tokenId: string, audit?: AuditOf<RevokedToken>): Promise<RevokedToken>;
}

/** A token that was revoked, with the feed entry that the same transaction appended. */
export interface RevokedToken {
  /** The feed entry. */
  readonly revocations: readonly [Revocation];
}
