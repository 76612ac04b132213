import { hostname } from "node:os";
import type { AuthOptions } from "../../auth-options.ts";
import { systemClock } from "../../core/runtime/clock.ts";
import type { Store } from "../../core/store/index.ts";
import type { AuthUser } from "../../core/user.ts";
import { toAuditRow } from "../../events/audit-row.ts";
import type { AuthEvent } from "../../events/events.ts";
import { updateUsernameKeys } from "../../flows/users/username-keys.ts";
import { isSealed } from "../../keys/states.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { openStore, parseDatabaseUrl } from "./database.ts";
import { createDefaultKey, type DefaultKey, type ServerKey } from "./key-file.ts";
import { readLegacyKey } from "./legacy-key.ts";
import { findServerKeys, type ServerKeys } from "./server-keys.ts";

/** A key that was created next to the SQLite database. If the database is in memory, the key is in memory too. */
export interface CreatedKey extends Pick<ServerKey, "file"> {
  readonly key: DefaultKey;
}

/** A database that is open and whose schema is current. */
export interface OpenDatabase {
  readonly store: Store;
  /** A text for people that describes the database. It contains no password. */
  readonly database: string;
  readonly keys: ServerKeys;
  /** The signing key or secret that was created now. `null` if it already existed. */
  readonly createdKey: CreatedKey | null;
  /** The event that the audit log has recorded about a signing key that was created now. */
  readonly event: AuthEvent | null;
}

/**
 * Opens the database, applies pending migrations, and finds the keys. If a key is missing with SQLite, creates it. If it
 * fails, it closes the database.
 *
 * @param migrates whether to apply pending migrations. If not, the schema must be current. Default: true.
 * @throws ConfigError if a setting is wrong.
 * @throws SchemaVersionError if the schema is newer than this version, or isn't current with `migrates: false`.
 * @throws StoreUnavailableError if the database can't answer.
 */
export async function openDatabase(config: Config, migrates = true): Promise<OpenDatabase> {
  const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
  const found = findServerKeys(config, database);
  const store = openStore(database, config);
  try {
    const applied = migrates ? await store.migrate() : [];
    if (!migrates) await store.checkSchema();
    // Once after an upgrade: it reads every user. `tokenpair migrate` does it at any time.
    if (applied.length > 0) await updateUsernameKeys({ store, settings: config.settings });
    const { missing: key } = found;
    if (key === null) return { store, database: database.label, keys: found, createdKey: null, event: null };
    await requireNoRing(store);
    if (key === "secret") await requireNoSession(store);
    const created = createDefaultKey(database, key);
    const event = key === "signing key" ? await recordCreatedKey(store, config) : null;
    const keys = key === "signing key" ? { ...found, signing: created } : { ...found, secret: created };
    return { store, database: database.label, keys, createdKey: { key, file: created.file }, event };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Returns the options of `createAuth` for a database that is open.
 *
 * @throws ConfigError if the key of simplejwt can't be read.
 */
export function toAuthOptions(
  config: Config,
  { store, keys }: Pick<OpenDatabase, "store" | "keys">,
): AuthOptions<AuthUser> {
  const legacyRefreshKey = readLegacyKey(config);
  return {
    ...config.settings,
    nodeName: config.settings.nodeName ?? hostname(),
    store,
    // As bytes, because a key from a file may begin with a slash.
    signingKey: keys.signing === null ? undefined : Buffer.from(keys.signing.text),
    secret: keys.secret === null ? undefined : Buffer.from(keys.secret.text),
    ...(legacyRefreshKey === undefined ? {} : { legacyRefreshKey }),
  };
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
    `keyEncryptionKey: is missing: the key "${sealed.kekId}" encrypts the key "${sealed.kid}" in the database. Set it.`,
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

async function recordCreatedKey(store: Store, { settings }: Config): Promise<AuthEvent> {
  const event: AuthEvent = { type: "key_changed", time: systemClock.now(), change: "generated" };
  if (settings.auditRetention > 0) await store.audit.append([toAuditRow(event)]);
  return event;
}
