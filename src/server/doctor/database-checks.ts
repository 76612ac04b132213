import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailableError } from "../../core/errors.ts";
import type { Store } from "../../core/store/index.ts";
import { withoutControls } from "../../core/text.ts";
import { type Check, fail, ok, warn } from "../../staff/health/check.ts";
import { checkStore } from "../../staff/health/store-checks.ts";
import type { PostgresStore } from "../../store/postgres/index.ts";
import type { Config } from "../config/config.ts";
import { type Database, openPostgresStore, openStore } from "../config/database.ts";
import { isReadableByOthers } from "./key-check.ts";
import { checkLegacyTokens } from "./legacy-checks.ts";
import { checkPostgres } from "./postgres-checks.ts";

/**
 * The size of the largest database whose integrity is checked, in bytes. The check of such a database takes a few seconds.
 */
const maxCheckedSize = 1024 ** 3;

/**
 * Checks that the database exists, that it is undamaged, writable and private, and that it has the schema of this version.
 * Also checks that its clock is right, and that its password hashes can be verified.
 */
export async function checkDatabase(database: Database, config: Config): Promise<readonly Check[]> {
  const { path, postgresUrl, label } = database;
  if (postgresUrl !== undefined) {
    return withStore(
      label,
      () => openPostgresStore(postgresUrl, config),
      async (store) => [
        ...(await checkOpenStore(store, label, config)),
        ...(await checkPostgres(store, postgresUrl, config)),
      ],
    );
  }
  if (path === null) return [inMemory()];
  if (!existsSync(path)) return [warn("database", `No database at ${path} yet. \`tokenpair serve\` creates it.`)];
  return withStore(
    path,
    () => openStore(database, config),
    async (store) => [...(await checkOpenStore(store, path, config)), checkFile(path), checkIntegrity(path)],
  );
}

/** Checks the open database of a running server. Doesn't check the integrity of a file, because that blocks the process. */
export async function checkOpenDatabase(store: Store, database: Database, config: Config): Promise<readonly Check[]> {
  const { path, postgresUrl, label } = database;
  const checks = await checkOpenStore(store, path ?? label, config);
  if (postgresUrl !== undefined)
    return [...checks, ...(await checkPostgres(store as PostgresStore, postgresUrl, config))];
  if (path === null) return [...checks, inMemory()];
  return [...checks, checkFile(path)];
}

const inMemory = () => warn("database", "In memory: all data is lost when the server stops.");

async function withStore<S extends Store>(
  name: string,
  open: () => S,
  check: (store: S) => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    const store = open();
    try {
      return await check(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof StoreUnavailableError) return [fail("database", `${name} is unavailable (${error.message}).`)];
    throw error;
  }
}

/** Checks an open store, and that the tokens that simplejwt has revoked were imported. */
async function checkOpenStore(store: Store, name: string, config: Config): Promise<readonly Check[]> {
  const checks = await checkStore(store, name, config.settings);
  if (checks.some((check) => check.name === "schema" && check.status === "fail")) return checks;
  return [...checks, ...(await checkLegacyTokens(store, config))];
}

function checkFile(path: string): Check {
  return isReadableByOthers(path)
    ? warn("file mode", `Other users can read ${path}, which holds password hashes. Run: chmod 600 ${path}`)
    : ok("file mode", "Only the owner can read the database.");
}

function checkIntegrity(path: string): Check {
  if (statSync(path).size > maxCheckedSize) {
    return warn("integrity", `Not checked: over 1 GiB. Run: sqlite3 ${path} 'PRAGMA quick_check'`);
  }
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const mode = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"];
    if (mode !== "wal") {
      return fail("integrity", `The journal mode is "${mode}". Run: sqlite3 ${path} 'PRAGMA journal_mode = wal'`);
    }
    const result = String(database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
    return result === "ok"
      ? ok("integrity", "No damage found.")
      : fail("integrity", `Damaged (${withoutControls(result)}). Restore a backup.`);
  } finally {
    database.close();
  }
}
