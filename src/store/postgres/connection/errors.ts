import { StoreUnavailableError } from "../../../core/errors.ts";
import { describeCode } from "./error-text.ts";

/**
 * The classes of SQLSTATEs that mean that the database can't answer, and not that there is a defect in the program.
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
 * The SQLSTATEs that mean that a prepared statement is unknown on this connection, or already exists. They occur behind a
 * proxy that pools transactions and doesn't follow prepared statements.
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

/** The SQLSTATEs after which the server closes the connection. */
const closingStates: ReadonlySet<string> = new Set(["25P03", "57P01", "57P02", "57P03", "57P05"]);

/**
 * The SQLSTATEs that can be caused by one of many rows: lock timeout, statement timeout, serialization failure and
 * deadlock.
 */
const rowStates: ReadonlySet<string> = new Set(["55P03", "57014", "40001", "40P01"]);

/** Returns the SQLSTATE of an error that the server sent, or `null` for any other error. */
export function toSqlState(error: unknown): string | null {
  const isFromServer = error instanceof Error && "severity" in error && "code" in error;
  return isFromServer ? String(error.code) : null;
}

/** Returns whether a statement did not run because its prepared form was lost, or because its name was already in use. */
export function hasLostStatement(error: unknown): boolean {
  return lostStatementStates.has(toSqlState(error) ?? "");
}

/**
 * Returns whether a transaction may be run again, because it was rolled back due to concurrent transactions or lost a
 * prepared statement.
 */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return false;
  const state = toSqlState(error.cause);
  return state === "40001" || state === "40P01" || hasLostStatement(error.cause);
}

/** Returns whether a statement for many rows may have failed because of one of them. */
export function isRowSpecific(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return true;
  return rowStates.has(toSqlState(error.cause) ?? "");
}

/**
 * Returns whether the connection can no longer be used, because a query was not answered or the server has closed the
 * connection.
 */
export function leavesConnectionBroken(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return false;
  const state = toSqlState(error.cause);
  return state === null || closingStates.has(state);
}

/**
 * Converts the error of a query. If the database couldn't answer, returns a StoreUnavailableError that names `operation`.
 * Otherwise, returns the error without the fields that can quote a row.
 */
export function toStoreError(operation: string, error: unknown): unknown {
  const state = toSqlState(error);
  if (state !== null) removeRow(error as object);
  else if (error instanceof TypeError || error instanceof StoreUnavailableError) return error;
  if (state !== null && !unavailableClasses.has(state.slice(0, 2)) && !unavailableStates.has(state)) return error;
  return new StoreUnavailableError(`${operation}: ${toReason(error)}`, { cause: error });
}

/** Returns the message of the driver or the network about an error. It never contains a stored value. */
export function toReason(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? describeCode(error.code) : error.message;
}

function removeRow(error: object): void {
  for (const field of ["detail", "where", "internalQuery"]) Reflect.deleteProperty(error, field);
}
