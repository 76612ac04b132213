import { StoreUnavailableError } from "../../../core/errors.ts";

/**
 * The primary result codes that mean that the database can't answer, and not that there is a defect in the program. Each
 * has its name and, if operators may see it, a cause.
 *
 * @see https://sqlite.org/rescode.html
 */
const unavailableCodes: ReadonlyMap<number, string> = new Map([
  [3, "SQLITE_PERM"],
  [5, "SQLITE_BUSY, another process held the lock for longer than busyTimeout"],
  [6, "SQLITE_LOCKED"],
  [7, "SQLITE_NOMEM, there is not enough memory"],
  [8, "SQLITE_READONLY, this process may not write to the file or its folder"],
  [9, "SQLITE_INTERRUPT"],
  [10, "SQLITE_IOERR, the disk reported an error"],
  [11, "SQLITE_CORRUPT, the file is damaged: restore a backup"],
  [13, "SQLITE_FULL, the disk is full"],
  [14, "SQLITE_CANTOPEN, the file can't be opened"],
  [15, "SQLITE_PROTOCOL"],
  [22, "SQLITE_NOLFS"],
  [26, "SQLITE_NOTADB, the file is not a SQLite database"],
]);

/** Returns the primary result code of an error from `node:sqlite`, or `null` for any other error. */
export function toResultCode(error: unknown): number | null {
  const isFromSqlite = error instanceof Error && "errcode" in error && typeof error.errcode === "number";
  // The low byte is the primary code; the others refine it.
  return isFromSqlite ? Number(error.errcode) & 0xff : null;
}

/** Returns whether an error says that another process holds the lock. */
export function isBusy(error: unknown): boolean {
  return toResultCode(error) === 5;
}

/** Returns whether SQLite rejected a statement because of its content, for example because its table already exists. */
export function isStatementError(error: unknown): boolean {
  return toResultCode(error) === 1;
}

/**
 * Converts an error. If the database couldn't answer, returns a StoreUnavailableError that names `operation`. Returns any
 * other error unchanged.
 */
export function toStoreError(operation: string, error: unknown): unknown {
  const description = unavailableCodes.get(toResultCode(error) ?? -1);
  return description === undefined
    ? error
    : new StoreUnavailableError(`${operation}: ${description}`, { cause: error });
}
