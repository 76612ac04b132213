import * as sqlite from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { StoreUnavailableError } from "../../core/errors.ts";
import { toStoreError } from "./connection/errors.ts";

/** The progress of a copy, in pages of the database. */
export interface CopyProgress {
  readonly done: number;
  readonly total: number;
}

/** The options of `copyDatabase`. */
export interface CopyOptions {
  /** Called after every step. */
  readonly onProgress?: (progress: CopyProgress) => void;
  /**
   * Whether to copy in steps. `false` copies like Node before 22.16, without progress. Use it only in tests. Default: true
   * if this version of Node supports it.
   */
  readonly inSteps?: boolean;
}

/** The number of pages that are copied in one step. */
const stepSize = 500;

/** The function `backup` of `node:sqlite`. Node 22.13 to 22.15 don't have it. */
const { backup }: Partial<Pick<typeof sqlite, "backup">> = sqlite;

/**
 * Copies a database, even while other processes use it. The copy contains everything that was committed when the copying
 * began. Checks the copy for damage.
 *
 * @param path the path of the database file.
 * @param destination the path of an existing, empty file. Its mode doesn't change.
 * @throws StoreUnavailableError if a file can't be read or written, or if one of the two is damaged.
 */
export async function copyDatabase(
  path: string,
  destination: string,
  { onProgress, inSteps = backup !== undefined }: CopyOptions = {},
): Promise<void> {
  try {
    const source = new DatabaseSync(path, { readOnly: true });
    try {
      source.exec("PRAGMA busy_timeout = 5000");
      if (inSteps && backup !== undefined) await copyInSteps(backup, source, destination, onProgress);
      else source.prepare("VACUUM INTO ?").run(destination);
    } finally {
      source.close();
    }
    requireUndamaged(destination);
  } catch (error) {
    throw toStoreError("backup", error);
  }
}

/** Copies inside one read transaction. Without it, each write of another process would restart the copying. */
async function copyInSteps(
  run: typeof sqlite.backup,
  source: DatabaseSync,
  destination: string,
  onProgress: CopyOptions["onProgress"],
): Promise<void> {
  source.exec("BEGIN");
  source.prepare("SELECT count(*) FROM sqlite_schema").get();
  await run(source, destination, {
    rate: stepSize,
    progress: ({ totalPages, remainingPages }) =>
      onProgress?.({ done: totalPages - remainingPages, total: totalPages }),
  });
  source.exec("COMMIT");
}

function requireUndamaged(file: string): void {
  const url = pathToFileURL(file);
  // Reads the file as it is: without this, SQLite would create two more files beside it.
  url.searchParams.set("immutable", "1");
  const copy = new DatabaseSync(url, { readOnly: true });
  try {
    if (copy.prepare("PRAGMA quick_check(1)").get()?.["quick_check"] === "ok") return;
  } finally {
    copy.close();
  }
  throw new StoreUnavailableError("backup: the database is damaged");
}
