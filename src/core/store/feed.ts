import type { CommitPosition, FeedBatch, FeedCursor, RevocableToken, Revocation } from "../revocation.ts";
import type { RevocationOptions } from "./sessions.ts";

/** The revocation feed: an append-only table that every node reads. */
export interface FeedStore {
  /**
   * Returns the entries after `after`; with `null`, every entry that a token may still need. Never skips an entry, however
   * late its transaction committed. Uses its own connection if it can, so that reads never wait in the pool's queue.
   */
  read(options: FeedRead): Promise<FeedBatch>;
  /**
   * Calls `wake` soon after entries may have been appended; `isAwaited` says whether a caller waits until the nodes have
   * applied them. It is only a hint. A store that learns of entries through a connection calls `onListening` when that
   * connection is lost (with `reason`) and when it is back.
   *
   * @returns a function that ends the subscription.
   */
  subscribe(
    wake: (isAwaited: boolean) => void,
    onListening?: (isListening: boolean, reason?: string) => void,
  ): () => void;
  /**
   * Returns whether `token` is revoked by what is committed now, from one consistent read: its session is revoked or
   * unknown; its user is gone or has a higher epoch from which the session is not excepted; the token itself is revoked; or
   * all tokens of its global epoch or, without one, of its time are.
   */
  isRevoked(token: RevocableToken): Promise<boolean>;
  /** Revokes the one access token with this id. */
  revokeToken(tokenId: string, options?: RevokeTokenOptions): Promise<RevokedToken>;
}

/** How to read the feed. */
export interface FeedRead {
  /** Where the last read ended; `null` reads from the beginning. */
  readonly after: FeedCursor | null;
  /**
   * For a read from the beginning: entries whose last token has expired before this time, on the node's clock, are left out.
   * Whole seconds since the epoch.
   */
  readonly since: number;
  /** The reading node's id in the registry; `null` if it has none, as a command line. */
  readonly nodeId: string | null;
  /** Whether the read also writes to the node's row, in a transaction that is committed before the read fulfils. */
  readonly beat: boolean;
  /** Milliseconds after which the read fails; `null`: the store's own limit. */
  readonly timeout: number | null;
}

/** How to revoke one token. */
export interface RevokeTokenOptions extends RevocationOptions<RevokedToken> {
  /** The token's `exp`: whole seconds since the epoch. Default: the latest that any token can have. */
  readonly until?: number | undefined;
}

/** A token that was revoked, with the feed entry that the same transaction appended. */
export interface RevokedToken {
  /** The feed entry. */
  readonly revocations: readonly [Revocation];
  /** The transaction's position in the feed. */
  readonly position: CommitPosition;
}
