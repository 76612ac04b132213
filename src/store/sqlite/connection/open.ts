import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailableError } from "../../../core/errors.ts";
import { toResultCode, toStoreError } from "./unavailable.ts";

/** Milliseconds between two looks at a file that another process is just preparing. */
const retryInterval = 10;

/**
 * Opens the database at `path`: write-ahead log, every commit synced to disk. A missing file is made for its owner alone
 * (0600), missing directories too (0700); what exists keeps its mode.
 *
 * @throws StoreUnavailableError where that cannot be done.
 */
export function openDatabase(path: string, busyTimeout: number): DatabaseSync {
  const location = path === ":memory:" ? path : toPrivateFile(path);
  try {
    return configure(new DatabaseSync(location), busyTimeout);
  } catch (error) {
    throw toStoreError("open", error);
  }
}

/** The absolute path, which SQLite can never read as a URI, of a file that now exists. */
function toPrivateFile(path: string): string {
  const location = resolve(path);
  try {
    mkdirSync(dirname(location), { recursive: true, mode: 0o700 });
    // "wx" leaves a file that exists unopened: closing it would drop the locks that this process holds on it.
    closeSync(openSync(location, "wx", 0o600));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EEXIST") throw new StoreUnavailableError(`open: ${code}`, { cause: error });
  }
  return location;
}

function configure(database: DatabaseSync, busyTimeout: number): DatabaseSync {
  try {
    enableWriteAheadLog(database, performance.now() + busyTimeout);
    database.exec("PRAGMA synchronous = FULL");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Where two processes prepare a new file at once, one has to look again. */
function enableWriteAheadLog(database: DatabaseSync, deadline: number): void {
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (toResultCode(error) !== 5 || performance.now() >= deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryInterval);
    }
  }
}
