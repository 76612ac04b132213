import { StoreUnavailableError } from "../../../core/errors.ts";
import { withWords } from "./fault-words.ts";

/** Classes of SQLSTATE (PostgreSQL, appendix A) that mean "the database cannot answer", not "the program is wrong". */
const unavailableClasses: ReadonlySet<string> = new Set([
  "08", // connection
  "28", // the server does not let us in
  "40", // serialization failure or deadlock, after the last attempt
  "53", // out of disk, memory or connections
  "57", // shutting down, or the statement timeout
  "58", // input and output
  "XX", // corrupted
]);

/** What a proxy answers that pools transactions and does not follow prepared statements: unknown here, or here already. */
const lostStatementStates: ReadonlySet<string> = new Set(["26000", "42P05"]);

const unavailableStates: ReadonlySet<string> = new Set([
  ...lostStatementStates,
  "25006", // read only: a standby
  "25P02", // the transaction has failed already
  "25P03", // idle in the transaction for too long
  "3D000", // no such database
  "55P03", // the lock timeout
  "55000", // not in this state of the server
]);

/** After these the server closes the connection. */
const closingStates: ReadonlySet<string> = new Set(["25P03", "57P01", "57P02", "57P03", "57P05"]);

/** The SQLSTATE of an error that the server sent; `null` for every other error. */
export function toSqlState(error: unknown): string | null {
  const isFromServer = error instanceof Error && "severity" in error && "code" in error;
  return isFromServer ? String(error.code) : null;
}

/** Whether the statement was not run because the server that it came to had not, or already had, prepared it. */
export function hasLostStatement(error: unknown): boolean {
  return lostStatementStates.has(toSqlState(error) ?? "");
}

/** Whether the work was undone only because of others beside it, or for want of a prepared statement: it may be run again. */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return false;
  const state = toSqlState(error.cause);
  return state === "40001" || state === "40P01" || hasLostStatement(error.cause);
}

/** States that one row of many may bring about: lock and statement timeout, serialization failure, deadlock. */
const rowStates: ReadonlySet<string> = new Set(["55P03", "57014", "40001", "40P01"]);

/** Whether a statement that was undone for all its rows may have failed because of one of them. */
export function isRowSpecific(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return true;
  return rowStates.has(toSqlState(error.cause) ?? "");
}

/** Whether the connection cannot be used again: a query was left without an answer, or the server has closed it. */
export function leavesConnectionBroken(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError)) return false;
  const state = toSqlState(error.cause);
  return state === null || closingStates.has(state);
}

/**
 * What a query threw, as a `StoreUnavailableError` that names `operation` where the database could not answer. Other errors
 * of the server lose the fields that can quote a row.
 */
export function toStoreError(operation: string, error: unknown): unknown {
  const state = toSqlState(error);
  if (state !== null) withoutRow(error as object);
  else if (error instanceof TypeError || error instanceof StoreUnavailableError) return error;
  if (state !== null && !unavailableClasses.has(state.slice(0, 2)) && !unavailableStates.has(state)) return error;
  return new StoreUnavailableError(`${operation}: ${toReason(error)}`, { cause: error });
}

/** What the driver or the network says: never a value of ours. */
export function toReason(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? withWords(error.code) : error.message;
}

function withoutRow(error: object): void {
  for (const field of ["detail", "where", "internalQuery"]) Reflect.deleteProperty(error, field);
}
