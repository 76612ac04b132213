import type { FeedCursor } from "../../../core/revocation.ts";

/**
 * Where a reader of the feed stands.
 *
 * A snapshot (`pg_current_snapshot()`, as text `xmin:xmax:xip,…`) tells of every transaction whether its entries could be
 * seen. After a read with snapshot S, what a later read has to find are the entries of the transactions that S did not
 * see, however long ago they began.
 */
export interface Place {
  /** When the server was started, which ends the history of its snapshots: a restored database or a standby has another. */
  readonly start: string;
  /** The snapshot whose entries are known; `null`: those of none. */
  readonly seen: string | null;
  /** Within a read that takes several batches: the snapshot of its first, and the last entry that was handed over. */
  readonly batch?: { readonly snapshot: string; readonly seq: number };
}

/** The place as the text that readers keep. */
export function toCursor(place: Place): FeedCursor {
  return JSON.stringify(place);
}

/** The place that `toCursor` wrote down. */
export function parseCursor(cursor: FeedCursor): Place {
  return JSON.parse(cursor) as Place;
}

/** The transactions that `snapshot` did not see: every one from `from` on, and the listed ones, as a literal of `xid8[]`. */
export function toUnseen(snapshot: string): { readonly from: string; readonly open: string } {
  const [, from = "0", open = ""] = snapshot.split(":");
  return { from, open: `{${open}}` };
}
