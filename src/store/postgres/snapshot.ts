/*
 * How readers of `revocations` and `audit_log` find what is new. The order in which rows are written is not the order
 * in which they are committed, so a reader can't just continue after the last `seq`. Instead it keeps a snapshot: the
 * text `xmin:xmax:xip,…` of `pg_current_snapshot()`, which tells for every transaction whether its rows were visible. A
 * later read returns the rows of all other transactions, no matter how long ago those began.
 */

/**
 * Returns the transactions that were not visible in a snapshot, in the form of the parameters of `isUnseen`.
 *
 * @param snapshot the text of `pg_current_snapshot()`.
 */
export function toUnseen(snapshot: string): { readonly from: string; readonly open: string } {
  const [, from = "0", open = ""] = snapshot.split(":");
  return { from, open: `{${open}}` };
}

/**
 * A SQL condition on a row's `xid`: its transaction was not visible in the snapshot. `:from` is the first later
 * transaction, and `:open` lists the earlier ones that were still open. The upper bound is higher than any id. It makes the
 * planner expect only a few rows.
 */
export const isUnseen = `(xid >= :from::xid8 AND xid <= '18446744073709551615'::xid8 OR xid = ANY (:open::xid8[]))`;

/**
 * Returns whether a transaction was visible in a snapshot, like `pg_visible_in_snapshot`.
 *
 * @param xid the transaction's id, a decimal number of up to 64 bits.
 * @param snapshot the text of `pg_current_snapshot()`.
 */
export function isVisible(xid: string, snapshot: string): boolean {
  const [xmin = "0", xmax = "0", open = ""] = snapshot.split(":");
  const id = BigInt(xid);
  if (id < BigInt(xmin)) return true;
  return id < BigInt(xmax) && !open.split(",").includes(xid);
}
