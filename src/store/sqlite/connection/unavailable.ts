import { StoreUnavailableError } from "../../../core/errors.ts";

/** The primary result codes (sqlite.org/rescode.html) that mean "the database cannot answer", not "the program is wrong". */
const unavailableCodes: ReadonlyMap<number, string> = new Map([
  [3, "SQLITE_PERM"],
  [5, "SQLITE_BUSY"],
  [6, "SQLITE_LOCKED"],
  [7, "SQLITE_NOMEM"],
  [8, "SQLITE_READONLY"],
  [9, "SQLITE_INTERRUPT"],
  [10, "SQLITE_IOERR"],
  [11, "SQLITE_CORRUPT"],
  [13, "SQLITE_FULL"],
  [14, "SQLITE_CANTOPEN"],
  [15, "SQLITE_PROTOCOL"],
  [22, "SQLITE_NOLFS"],
  [26, "SQLITE_NOTADB"],
]);

/** The primary result code of an error of `node:sqlite`; `null` for every other error. */
export function toResultCode(error: unknown): number | null {
  const isFromSqlite = error instanceof Error && "errcode" in error && typeof error.errcode === "number";
  // The low byte is the primary code, the others refine it.
  return isFromSqlite ? Number(error.errcode) & 0xff : null;
}

/** `error` as a `StoreUnavailableError` that names `operation`, where the database could not answer; else `error` itself. */
export function toStoreError(operation: string, error: unknown): unknown {
  const name = unavailableCodes.get(toResultCode(error) ?? -1);
  return name === undefined ? error : new StoreUnavailableError(`${operation}: ${name}`, { cause: error });
}
