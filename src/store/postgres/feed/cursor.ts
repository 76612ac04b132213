import type { CommitPosition, FeedCursor } from "../../../core/revocation.ts";

/** A reader's position in the feed. */
export interface FeedPosition {
  /** The server's start time. A restored database and a standby have another, and their snapshots can't be compared. */
  readonly start: string;
  /** The snapshot whose entries have been read; `null` if none have. */
  readonly seen: string | null;
  /**
   * Inside a read of several batches: the snapshot of the first batch, and the last entry that was returned. `since` is the end
   * of its last token, by which a read from the beginning is ordered.
   */
  readonly batch?: { readonly snapshot: string; readonly seq: number; readonly since: number };
}

/** A transaction's position in the feed. */
export interface TransactionPosition {
  /** The server's start time. */
  readonly incarnation: string;
  /** The transaction's id, a decimal number of up to 64 bits. */
  readonly xid: string;
  /** One of the entries that the transaction has appended. */
  readonly seq: number;
}

/** Converts a position to a cursor. */
export function toCursor(position: FeedPosition): FeedCursor {
  return JSON.stringify(position);
}

/** Converts a cursor of `toCursor` back to its position. */
export function parseCursor(cursor: FeedCursor): FeedPosition {
  return JSON.parse(cursor) as FeedPosition;
}

/** Converts the place of a transaction to the position that callers get. */
export function toPosition(position: TransactionPosition): CommitPosition {
  return JSON.stringify(position);
}

/** Converts a position of `toPosition` back. */
export function parsePosition(position: CommitPosition): TransactionPosition {
  return JSON.parse(position) as TransactionPosition;
}
