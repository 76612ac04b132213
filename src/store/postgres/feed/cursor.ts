import type { CommitPosition, FeedCursor } from "../../../core/revocation.ts";

/** A reader's position in the feed. */
export interface FeedPosition {
  /**
   * The start time of the server. It is different after a restore and on a standby, and snapshots with different start
   * times can't be compared.
   */
  readonly start: string;
  /** The snapshot whose entries have been read, or `null` if no entries have been read. */
  readonly seen: string | null;
  /**
   * The position within a read of several batches: the snapshot of the first batch, and the last entry that was returned.
   * `since` is the time at which the last token of that entry expires. A read from the beginning is ordered by this time.
   */
  readonly batch?: { readonly snapshot: string; readonly seq: number; readonly since: number };
}

/** A transaction's position in the feed. */
export interface TransactionPosition {
  /** The server's start time. */
  readonly incarnation: string;
  /** The transaction's id, a decimal number of up to 64 bits. */
  readonly xid: string;
  /** One of the entries that the transaction appended. */
  readonly seq: number;
}

/** Converts a position to a cursor. */
export function toCursor(position: FeedPosition): FeedCursor {
  return JSON.stringify(position);
}

/** Converts a cursor back to its position. */
export function parseCursor(cursor: FeedCursor): FeedPosition {
  return JSON.parse(cursor) as FeedPosition;
}

/** Converts the position of a transaction to the form that callers get. */
export function toPosition(position: TransactionPosition): CommitPosition {
  return JSON.stringify(position);
}

/** Converts the form that callers get back to the position of a transaction. */
export function parsePosition(position: CommitPosition): TransactionPosition {
  return JSON.parse(position) as TransactionPosition;
}
