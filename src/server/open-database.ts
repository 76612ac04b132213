import type { Store } from "../core/store/index.ts";
import { updateUsernameKeys } from "../flows/username-keys.ts";
import { isSealed } from "../keys/states.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import { openStore, parseDatabaseUrl } from "./config/database.ts";
import { createDefaultKey, type DefaultKey, type ServerKey } from "./config/key-file.ts";
import { findServerKeys, type ServerKeys } from "./config/server-keys.ts";
import type { Resources } from "./resources.ts";

/** A key that was created next to the SQLite database. If the database is in memory, the key is in memory too. */
export interface CreatedKey extends Pick<ServerKey, "file"> {
  readonly key: DefaultKey;
}

/** The open database of a server, with the server's keys. */
export interface OpenedDatabase {
  /** A text for people that describes the database. It contains no password. */
  readonly database: string;
  /** The key that was created, or `null`. */
  readonly createdKey: CreatedKey | null;
  readonly store: Store;
  readonly keys: ServerKeys;
}

/**
 * Opens and migrates the database, and creates the key that is missing.
 *
 * @throws ConfigError if a setting is wrong.
 * @throws SchemaVersionError if the database is newer than this version.
 * @throws StoreUnavailableError if the database can't answer.
 */
export async function openDatabase(config: Config, resources: Resources): Promise<OpenedDatabase> {
  const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
  const found = findServerKeys(config, database);
  const store = openStore(database, config);
  resources.add(() => store.close());
  const applied = await store.migrate();
  // Once after an upgrade: it reads every user. `tokenpair migrate` does it at any time.
  if (applied.length > 0) await updateUsernameKeys({ store, settings: config.settings });
  const { missing: key } = found;
  if (key === null) return { store, database: database.label, keys: found, createdKey: null };
  await requireNoRing(store);
  if (key === "secret") await requireNoSession(store);
  const created = createDefaultKey(database, key);
  const keys = key === "signing key" ? { ...found, signing: created } : { ...found, secret: created };
  return { store, database: database.label, keys, createdKey: { key, file: created.file } };
}

/**
 * Throws if the database has a key ring. A key that is created next to a key ring would cause conflicts once the ring can
 * be decrypted again.
 *
 * @throws ConfigError that names the missing key encryption key.
 */
async function requireNoRing({ keys }: Store): Promise<void> {
  const sealed = (await keys.read()).keys.find(isSealed);
  if (sealed === undefined) return;
  throw new ConfigError(
    `keyEncryptionKey: is missing: the key "${sealed.kekId}" sealed the key "${sealed.kid}" in the database. Set it.`,
  );
}

/**
 * Throws if the database has sessions. Their secret was somewhere else, and a new secret would make all of them invalid.
 *
 * @throws ConfigError that says how to set the former secret.
 */
async function requireNoSession(store: Store): Promise<void> {
  const { sessions } = await store.sessions.list({ limit: 1 });
  if (sessions.length === 0) return;
  throw new ConfigError(
    "secret: is missing: the sessions in the database were made with another one; set it to the former signing key " +
      "(TOKENPAIR_SECRET), and no user has to log in again. If it is lost, run: tokenpair sessions revoke --all",
  );
}
