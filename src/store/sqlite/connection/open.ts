import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailableError, toErrorCode } from "../../../core/errors.ts";
import { isBusy, toStoreError } from "./errors.ts";

/** The number of milliseconds between two attempts to open a file that another process is preparing. */
const retryInterval = 10;

/**
 * Opens the database at `path` in write-ahead-log mode. Every commit is synced to the disk. A missing file is created with
 * mode 0600, and missing folders are created with mode 0700. Existing ones keep their modes.
 *
 * @param busyTimeout how long to wait while another process prepares the same file, in milliseconds.
 * @throws StoreUnavailableError if the file can't be opened or created.
 */
export function openDatabase(path: string, busyTimeout: number): DatabaseSync {
  const location = path === ":memory:" ? path : createPrivateFile(path);
  try {
    return configure(new DatabaseSync(location), busyTimeout);
  } catch (error) {
    throw toStoreError("open", error);
  }
}

/** The identity of an open file. */
export interface FileWatch {
  /** Identifies the file, so that a file that replaces it has a different value. "memory" for a database in memory. */
  readonly incarnation: string;
  /**
   * Returns whether the file at the path has been deleted or replaced. SQLite doesn't notice this, and continues to use the
   * old file.
   */
  readonly isFileGone: () => boolean;
}

/** Creates the watch for the file at `path`. Call it right after the file has been opened. */
export function createFileWatch(path: string): FileWatch {
  if (path === ":memory:") return { incarnation: "memory", isFileGone: () => false };
  const location = resolve(path);
  const read = () => {
    const found = statSync(location, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? "missing" : `${found.dev}:${found.ino}`;
  };
  const incarnation = read();
  return {
    incarnation,
    isFileGone() {
      try {
        return read() !== incarnation;
      } catch {
        // The file may be there: for example, the process may no longer search its folder.
        return false;
      }
    },
  };
}

/** Creates the file if it is missing. Returns its absolute path, which SQLite can't mistake for a URI. */
function createPrivateFile(path: string): string {
  const location = resolve(path);
  try {
    mkdirSync(dirname(location), { recursive: true, mode: 0o700 });
    // "wx" doesn't open an existing file: closing it would release the locks that this process holds on it.
    closeSync(openSync(location, "wx", 0o600));
  } catch (error) {
    const code = toErrorCode(error);
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

/** Turns on the write-ahead log. Retries until `deadline`, because only one process at a time can prepare a new file. */
function enableWriteAheadLog(database: DatabaseSync, deadline: number): void {
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryInterval);
    }
  }
}
