import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SchemaVersionError, StoreUnavailableError } from "../../core/errors.ts";
import type { Store } from "../../core/store/index.ts";
import type { Config } from "../../server/config/config.ts";
import { type Database, openPostgresStore, openStore } from "../../server/config/database.ts";
import { withoutControls } from "../format.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { isOpenToOthers } from "./key-check.ts";
import { checkPasswordHashes } from "./password-checks.ts";
import { checkPostgres } from "./postgres-checks.ts";

/** Bytes of a database whose integrity is checked in passing: a few seconds. */
const maxCheckedSize = 1024 ** 3;

/** Seconds by which the clocks of database and machine may differ. */
const maxClockDifference = 2;

/** Before this version was made, and long after it. Seconds since the epoch. */
const plausibleTimes = { from: Date.UTC(2025, 0) / 1000, to: Date.UTC(2100, 0) / 1000 };

/**
 * Whether the database is there, whole, writable, private, and of the schema of this version, what time it has, and whether
 * its password hashes can be verified.
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
  if (path === null) return [warn("database", "in memory: everything is lost when the server ends")];
  if (!existsSync(path)) return [warn("database", `there is none yet at ${path}; \`tokenpair serve\` makes it`)];
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
    if (error instanceof StoreUnavailableError) return [fail("database", `${name} cannot be used (${error.message})`)];
    throw error;
  }
}

async function checkStore(store: Store, name: string, { settings }: Config): Promise<readonly Check[]> {
  try {
    await store.checkSchema();
  } catch (error) {
    if (error instanceof SchemaVersionError) return [fail("schema", error.message)];
    throw error;
  }
  // A write that deletes nothing.
  await store.deleteExpired({ limit: 0, horizon: 0 });
  return [
    ok("database", `${name}, writable`),
    ok("schema", "of this version"),
    await checkClock(store),
    await checkPasswordHashes(store, settings),
  ];
}

async function checkClock(store: Store): Promise<Check> {
  const { sessions, now } = await store.sessions.list({ limit: 1 });
  const machine = Math.floor(Date.now() / 1000);
  if (Math.abs(now - machine) > maxClockDifference) {
    return fail("clock", `the database and this machine differ by ${Math.abs(now - machine)} s; bring them in step`);
  }
  if (now < plausibleTimes.from || now > plausibleTimes.to)
    return fail("clock", "the time is not plausible; set the clock");
  const newest = sessions[0];
  if (newest !== undefined && newest.lastUsedAt > now + maxClockDifference) {
    return warn("clock", "the newest session was used in the future: the clock has been set back");
  }
  return ok("clock", "database and machine agree");
}

function checkFile(path: string): Check {
  return isOpenToOthers(path)
    ? warn("file mode", `${path} holds password hashes and can be read by others; run: chmod 600 ${path}`)
    : ok("file mode", "only its owner can read the database");
}

function checkIntegrity(path: string): Check {
  if (statSync(path).size > maxCheckedSize) {
    return warn("integrity", "not checked, the database is over 1 GiB; run: sqlite3 FILE 'PRAGMA quick_check'");
  }
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const mode = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"];
    if (mode !== "wal") return fail("integrity", `the journal is "${mode}", not a write-ahead log`);
    const result = String(database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
    return result === "ok"
      ? ok("integrity", "write-ahead log, no damage found")
      : fail("integrity", `damaged, restore a backup: ${withoutControls(result)}`);
  } finally {
    database.close();
  }
}
