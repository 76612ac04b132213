import { StoreUnavailableError } from "../../../core/errors.ts";
import { describeCode } from "./error-text.ts";

/**
 * The classes of SQLSTATEs that mean "the database can't answer" and not "the program is wrong".
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const unavailableClasses: ReadonlySet<string> = new Set([
  "08", // connection
  "28", // authentication
  "40", // serialization failure or deadlock, after the last attempt
  "53", // out of disk, memory or connections
  "57", // shutdown or statement timeout
  "58", // input and output
  "XX", // corrupted
]);

/**
 * Prepared statements that are unknown on this connection, or exist already: a proxy that pools transactions doesn't
 * follow prepared statements.
 */
const lostStatementStates: ReadonlySet<string> = new Set(["26000", "42P05"]);

const unavailableStates: ReadonlySet<string> = new Set([
  ...lostStatementStates,
  "25006", // read-only: a standby
  "25P02", // the transaction has failed already
  "25P03", // idle in the transaction for too long
  "3D000", // no such database
  "55P03", // lock timeout
  "55000", // not possible in the server's state
]);

/** After these errors the server closes the connection. */
const closingStates: ReadonlySet<string> = new Set(["25P03", "57P01", "57P02", "57P03", "57P05"]);

/** Errors that one row of many can cause: lock and statement timeout, serialization failure, deadlock. */
const rowStates: ReadonlySet<string> = new Set(["55P03", "57014", "40001", "40P01"]);

/** Returns the SQLSTATE of an error that the server sent; `null` for any other error. */
export function toSqlState(error: unknown): string | null {
  const isFromServer = error instanceof Error && "severity" in error && "code" in error;
  return isFromServer ? String(error.code) : null;
}

/** Returns whether a statement did not run because its prepared form was lost or taken. */
export function hasLostStatement(error: unknown): boolean {
  return lostStatementStates.has(toSqlState(error) ?? "");
}

/**
 * Returns whether a transaction may run again: it was rolled back because of concurrent ones, or lost a prepared
 * statement.
 */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return false;
  const state = toSqlState(error.cause);
  return state === "40001" || state === "40P01" || hasLostStatement(error.cause);
}

/** Returns whether a statement over many rows may have failed because of one of them. */
export function isRowSpecific(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return true;
  return rowStates.has(toSqlState(error.cause) ?? "");
}

/** Returns whether the connection is unusable: a query was not answered, or the server has closed the connection. */
export function leavesConnectionBroken(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return false;
  const state = toSqlState(error.cause);
  return state === null || closingStates.has(state);
}

/**
 * Converts the error of a query to a StoreUnavailableError that names `operation` if the database couldn't answer.
 * Returns other errors as they are, without the fields that can quote a row.
 */
export function toStoreError(operation: string, error: unknown): unknown {
  const state = toSqlState(error);
  if (state !== null) removeRow(error as object);
  else if (error instanceof TypeError || error instanceof StoreUnavailableError) return error;
  if (state !== null && !unavailableClasses.has(state.slice(0, 2)) && !unavailableStates.has(state)) return error;
  return new StoreUnavailableError(`${operation}: ${toReason(error)}`, { cause: error });
}

/** Returns what the driver or the network says about an error. Never holds a stored value. */
export function toReason(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? describeCode(error.code) : error.message;
}

function removeRow(error: object): void {
  for (const field of ["detail", "where", "internalQuery"]) Reflect.deleteProperty(error, field);
}
