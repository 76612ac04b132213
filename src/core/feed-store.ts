import type { AuditOf } from "./audit.ts";
import type { FeedBatch, FeedCursor, RevocableToken, Revocation } from "./revocation.ts";

/** The append-only feed of what is no longer valid. */
export interface FeedStore {
  /** How often a node reads the feed, in milliseconds, whether or not it was woken. */
  readonly pollInterval: number;
  /**
   * The entries after `after`; from `null`, every entry of the last `horizon` seconds. Never skips an entry, however
   * late its transaction committed.
   */
  read(options: { readonly after: FeedCursor | null; readonly horizon: number }): Promise<FeedBatch>;
  /**
   * Calls `wake` soon after entries may have been appended; only a hint. `onListening` hears when a store that is told of
   * them over a connection has lost it (`reason` says how), and when it has it back. Returns the way to stop.
   */
  subscribe(wake: () => void, onListening?: (isListening: boolean, reason?: string) => void): () => void;
  /**
   * Whether `token` is revoked by what is committed now, in one consistent look: its session ended or unknown, its user
   * gone or of a higher epoch, the token itself revoked, or all tokens of its time. Says yes of every token of which the
   * whole feed would.
   */
  isRevoked(token: RevocableToken): Promise<boolean>;
  /** Revokes the one access token with this id. */
  revokeToken(tokenId: string, audit?: AuditOf<Revocation>): Promise<Revocation>;
}
