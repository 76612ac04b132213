import type { CommitPosition, FeedBatch, FeedCursor, RevocableToken, Revocation } from "../revocation.ts";
import type { RevocationOptions } from "./sessions.ts";

/** The revocation feed: an append-only table that every node reads. */
export interface FeedStore {
  /**
   * Returns the entries after `after`. With `null`, returns every entry that a token may still need. Never skips an entry,
   * no matter how late its transaction committed. Uses its own connection if possible, so that reads never wait in the
   * pool's queue.
   */
  read(options: FeedRead): Promise<FeedBatch>;
  /**
   * Subscribes to new entries. The store calls `wake` soon after entries may have been appended. `isAwaited` says whether a
   * caller waits until the nodes have applied them. A call may be missing or unnecessary, so the feed must also be read
   * regularly. If the store gets its notifications through a connection, it calls `onListening` when that connection is
   * lost, with a `reason`, and when it is open again.
   *
   * @returns a function that ends the subscription.
   */
  subscribe(
    wake: (isAwaited: boolean) => void,
    onListening?: (isListening: boolean, reason?: string) => void,
  ): () => void;
  /**
   * Returns whether `token` is revoked according to what is committed now, from one consistent read. This is the case if
   * its session is revoked or unknown, if its user doesn't exist, or if the token itself was revoked. It is also the case
   * if the user has a higher epoch and the session isn't excepted, or if all tokens of the token's global epoch were
   * revoked. For a token without a global epoch, its `iat` counts.
   */
  isRevoked(token: RevocableToken): Promise<boolean>;
  /** Revokes the access token with this id. */
  revokeToken(tokenId: string, options?: RevokeTokenOptions): Promise<RevokedToken>;
}

/** How to read the feed. */
export interface FeedRead {
  /** The position at which the last read ended. `null` reads from the beginning. */
  readonly after: FeedCursor | null;
  /**
   * A time in whole seconds since the epoch, on the node's clock. A read from the beginning omits the entries whose last
   * token expired before it.
   */
  readonly since: number;
  /** The reading node's id in the registry, or `null` if the process has none, for example a command. */
  readonly nodeId: string | null;
  /** Whether the read also writes to the node's row. If so, the transaction is committed before the read fulfils. */
  readonly beat: boolean;
  /** The number of milliseconds after which the read fails. `null` means the store's own limit. */
  readonly timeout: number | null;
}

/** How to revoke one token. */
export interface RevokeTokenOptions extends RevocationOptions<RevokedToken> {
  /** The token's `exp`, in whole seconds since the epoch. Default: the latest `exp` that any token can have. */
  readonly until?: number | undefined;
}

/** A token that was revoked, with the feed entry that the same transaction appended. */
export interface RevokedToken {
  /** The feed entry. */
  readonly revocations: readonly [Revocation];
  /** The transaction's position in the feed. */
  readonly position: CommitPosition;
}
