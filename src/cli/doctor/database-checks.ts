import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SchemaVersionError, StoreUnavailableError } from "../../core/errors.ts";
import type { Store } from "../../core/store/index.ts";
import type { Config } from "../../server/config/config.ts";
import { type Database, openPostgresStore, openStore } from "../../server/config/database.ts";
import { withoutControls } from "../format.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { isReadableByOthers } from "./key-check.ts";
import { checkLegacyTokens } from "./legacy-checks.ts";
import { checkNodes } from "./node-checks.ts";
import { checkPasswordHashes } from "./password-checks.ts";
import { checkPostgres } from "./postgres-checks.ts";
import { checkRing } from "./ring-checks.ts";

/**
 * The size of the largest database whose integrity is checked, in bytes. The check of such a database takes a few seconds.
 */
const maxCheckedSize = 1024 ** 3;

/** The maximum difference between the clocks of the database and of this machine, in seconds. */
const maxClockDifference = 2;

/**
 * The range of plausible times, in whole seconds since the epoch. A time before the release of this version, or long after
 * it, is wrong.
 */
const plausibleTimes = { from: Date.UTC(2025, 0) / 1000, to: Date.UTC(2100, 0) / 1000 };

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
        ...(await checkStore(store, label, config)),
        ...(await checkPostgres(store, postgresUrl, config)),
      ],
    );
  }
  if (path === null) return [warn("database", "In memory: all data is lost when the server stops.")];
  if (!existsSync(path)) return [warn("database", `No database at ${path} yet. \`tokenpair serve\` creates it.`)];
  return withStore(
    path,
    () => openStore(database, config),
    async (store) => [...(await checkStore(store, path, config)), checkFile(path), checkIntegrity(path)],
  );
}

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

async function checkStore(store: Store, name: string, config: Config): Promise<readonly Check[]> {
  const { settings } = config;
  try {
    await store.checkSchema();
  } catch (error) {
    if (error instanceof SchemaVersionError) return [fail("schema", error.message)];
    throw error;
  }
  // Proves that the database is writable: a write that deletes nothing.
  await store.deleteExpired({ limit: 0, horizon: 0 });
  return [
    ok("database", `${name} is writable.`),
    ok("schema", "Up to date."),
    await checkClock(store),
    ...(await checkNodes(store, settings)),
    ...(await checkRing(store, settings)),
    await checkPasswordHashes(store, settings),
    ...(await checkLegacyTokens(store, config)),
  ];
}

async function checkClock(store: Store): Promise<Check> {
  const { sessions, now } = await store.sessions.list({ limit: 1 });
  const difference = Math.abs(now - Math.floor(Date.now() / 1000));
  if (difference > maxClockDifference) {
    return fail("clock", `The clocks of the database and this machine differ by ${difference} s. Synchronize them.`);
  }
  if (now < plausibleTimes.from || now > plausibleTimes.to) return fail("clock", "The time is wrong. Set the clock.");
  const newest = sessions[0];
  if (newest !== undefined && newest.lastUsedAt > now + maxClockDifference) {
    return warn("clock", "The newest session was used in the future: the clock was set back. Check the time.");
  }
  return ok("clock", "The clocks of the database and this machine agree.");
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
