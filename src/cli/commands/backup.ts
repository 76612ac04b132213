import { randomBytes } from "node:crypto";
import { existsSync, linkSync, renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { toErrorCode } from "../../core/errors.ts";
import { parseDatabaseUrl } from "../../server/config/database.ts";
import { copyDatabase } from "../../store/sqlite/backup.ts";
import { addCommand, type CommonOptions, loadConfigFor, type Output, print } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { startOfLine } from "../terminal.ts";

/** Adds the command `backup`. */
export function addBackup(program: Command, context: Context): void {
  addCommand(program, "backup", "Copy a SQLite database, even while servers use it.")
    .argument("<file>", "New file for the copy. An existing one is never overwritten.")
    .action(async (file: string, options: CommonOptions) =>
      print(context, options, await runBackup(context, file, options)),
    );
}

async function runBackup(context: Context, file: string, options: CommonOptions): Promise<Output> {
  const { server, directory } = await loadConfigFor(context, options);
  const database = parseDatabaseUrl(server.databaseUrl, directory);
  if (database.postgresUrl !== undefined) {
    throw new CommandError(
      "copies SQLite databases only; for PostgreSQL, use pg_dump: " +
        `pg_dump --format=custom --schema=${server.databaseSchema} --file=tokenpair.dump DATABASE`,
    );
  }
  if (database.path === null)
    throw new CommandError("a database in memory can't be copied; name a file with --database");
  if (!existsSync(database.path))
    throw new CommandError(`no database at ${database.path}; name another with --database`);
  const destination = resolve(directory, file);
  await copyTo(context, database.path, destination);
  const { size } = statSync(destination);
  return {
    lines: [`Copied ${database.path} to ${destination} (${toSize(size)}). The signing key is not in it.`],
    json: { database: database.path, file: destination, bytes: size },
  };
}

/**
 * Copies the database to a temporary file next to the destination. The file gets its final name when it is complete and on
 * the disk.
 */
async function copyTo(context: Context, path: string, destination: string): Promise<void> {
  requireFree(destination);
  const draft = `${destination}.${randomBytes(4).toString("hex")}.part`;
  const removeDraft = () => {
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(`${draft}${suffix}`, { force: true });
  };
  const stop = () => {
    removeDraft();
    process.exit(1);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, stop);
  try {
    await (await open(draft, "wx", 0o600)).close();
    await copyDatabase(path, draft, { onProgress: createProgressLine(context) });
    await flush(draft);
    place(draft, destination);
    await flush(dirname(destination));
  } catch (error) {
    throw toCopyError(error, destination);
  } finally {
    removeDraft();
    for (const signal of signals) process.off(signal, stop);
    if (context.stderr.isTTY) context.stderr.write(startOfLine);
  }
}

function requireFree(destination: string): void {
  if (!existsSync(destination)) return;
  throw new CommandError(`${destination} exists already; a backup overwrites no file, so choose another name`);
}

/** Writes the content of a file, or the names in a folder, to the disk. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Gives the copy its name. It uses a link because, unlike a rename, a link never replaces a file that was created in the
 * meantime.
 */
function place(draft: string, destination: string): void {
  try {
    linkSync(draft, destination);
  } catch (error) {
    // Some file systems have no links.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(toErrorCode(error) ?? "")) throw error;
    requireFree(destination);
    renameSync(draft, destination);
  }
}

function toCopyError(error: unknown, destination: string): unknown {
  const code = toErrorCode(error);
  switch (code) {
    case "EEXIST":
      return new CommandError(`${destination} exists already; a backup overwrites no file, so choose another name`);
    case "ENOENT":
    case "ENOTDIR":
      return new CommandError(`the folder ${dirname(destination)} doesn't exist; create it, or choose another`);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new CommandError(`can't write to ${dirname(destination)} (${code}); check its owner and mode`);
    case "ENOSPC":
    case "EDQUOT":
      return new CommandError(`the disk of ${dirname(destination)} is full; nothing was left there`);
    default:
      return error;
  }
}

function createProgressLine({
  stderr,
}: Context): (progress: { readonly done: number; readonly total: number }) => void {
  if (stderr.isTTY !== true) return () => {};
  return ({ done, total }) => void stderr.write(`${startOfLine}Copied ${Math.floor((done / total) * 100)} %`);
}

function toSize(bytes: number): string {
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
