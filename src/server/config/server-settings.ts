import { days } from "../../core/settings/durations.ts";
import { findSettingFault } from "../../core/settings/faults.ts";
import { type SettingRule, settingRules } from "../../core/settings/rules.ts";

/** The lowest level that the server logs. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** The settings of `tokenpair serve` alone. It also takes those of `createAuth`. */
export interface ServerSettings {
  /**
   * The database: `sqlite:` and a path that starts at the working directory, or `sqlite::memory:`, or
   * `postgres://user@host/database` (needs the package `pg`). Default: "sqlite:./data/tokenpair.db".
   */
  readonly databaseUrl: string;
  /** The schema of the tables in PostgreSQL: lower-case letters, digits and `_`. Default: "tokenpair". */
  readonly databaseSchema: string;
  /** The maximum number of connections of this node to PostgreSQL. It uses one more to read the revocation feed, and up to two to LISTEN. Default: 10. */
  readonly databaseConnections: number;
  /** The maximum number of calls that may wait for a PostgreSQL connection; further calls get a 503 immediately. Default: 1000. */
  readonly databaseMaxWaiting: number;
  /** How long to wait for a PostgreSQL connection, new or from the pool. Default: 3 seconds. */
  readonly databaseConnectTimeout: number;
  /** How long a PostgreSQL statement waits for a lock. Default: 2 seconds. */
  readonly databaseLockTimeout: number;
  /** How long a PostgreSQL statement may take, at least `databaseLockTimeout`. Default: 5 seconds. */
  readonly databaseStatementTimeout: number;
  /** Whether to use prepared statements. They need PgBouncer 1.21 or later if there is one. Default: true. */
  readonly databasePreparedStatements: boolean;
  /** The URL for LISTEN, if `databaseUrl` is a proxy that pools transactions. Default: `databaseUrl`. */
  readonly databaseListenUrl: string | undefined;
  /**
   * The path of a PEM file with CA certificates. Turns on TLS, and verifies PostgreSQL's certificate and its name.
   * Default: Node's CA certificates, if `databaseUrl` has `sslmode=verify-full`.
   */
  readonly databaseCa: string | undefined;
  /** How often the server deletes expired rows, ±10 %; 0 for never. Default: 0. */
  readonly cleanupInterval: number;
  /**
   * The key that signs access tokens: a private key as PEM or JWK, from `tokenpair keys generate`, or an HMAC secret. A secret that
   * looks like a path, URL or placeholder is refused, unless it is the path of an existing file, which then holds the key.
   * Default: with `keyEncryptionKey`, a key of the key ring; else an HMAC secret, created once, in the folder of the SQLite
   * database.
   */
  readonly signingKey: string | undefined;
  /** The path of a text file that holds the key, instead of `signingKey`. Default: none. */
  readonly signingKeyFile: string | undefined;
  /**
   * The installation's secret, of at least 32 bytes: the keys of refresh, CSRF and device tokens derive from it. All nodes share
   * it, and it stays when the signing key changes: to move from an HMAC secret to a private key, set it to the former signing
   * key. Default: `signingKey`, if that is an HMAC secret; else created once, in the database with `keyEncryptionKey`, or in the
   * folder of the SQLite database.
   */
  readonly secret: string | undefined;
  /** The path of a text file that holds the secret, instead of `secret`. Default: none. */
  readonly secretFile: string | undefined;
  /**
   * The path of a text file with the key that verifies simplejwt's refresh tokens: its `SIGNING_KEY` (by default Django's
   * `SECRET_KEY`) for an HMAC algorithm, else its `VERIFYING_KEY` as PEM. Until `legacyRefreshUntil`, each token is accepted once.
   * Default: none.
   */
  readonly legacyRefreshKeyFile: string | undefined;
  /** The address to listen on. Default: "127.0.0.1". */
  readonly host: string;
  /** The port to listen on; 0 for any free port. Default: 8000. */
  readonly port: number;
  /** The address of `GET /metrics`. Default: "127.0.0.1". */
  readonly metricsHost: string;
  /** The port of `GET /metrics`. Default: none, so there are no metrics. */
  readonly metricsPort: number | undefined;
  /** How many seconds a client may take to send its request, and to continue reading the response. Default: 20. */
  readonly requestTimeout: number;
  /** The maximum number of open client connections. The server closes further ones immediately. Default: 20000. */
  readonly maxConnections: number;
  /**
   * The `max-age` of `Strict-Transport-Security` in seconds: for so long, browsers use only https. Set it if every
   * client uses a TLS proxy that doesn't add this header itself. Default: 0, no header.
   */
  readonly strictTransportSecurity: number;
  /** The lowest level that is logged: debug, info, warn, error or silent. Default: "info". */
  readonly logLevel: LogLevel;
  /** Whether to serve the page on which users log in and see their devices, at `/`. Default: true. */
  readonly page: boolean;
}

/** The defaults of `ServerSettings`. */
export const defaultServerSettings: ServerSettings = Object.freeze({
  databaseUrl: "sqlite:./data/tokenpair.db",
  databaseSchema: "tokenpair",
  databaseConnections: 10,
  databaseMaxWaiting: 1_000,
  databaseConnectTimeout: 3,
  databaseLockTimeout: 2,
  databaseStatementTimeout: 5,
  databasePreparedStatements: true,
  databaseListenUrl: undefined,
  databaseCa: undefined,
  cleanupInterval: 0,
  signingKey: undefined,
  signingKeyFile: undefined,
  secret: undefined,
  secretFile: undefined,
  legacyRefreshKeyFile: undefined,
  host: "127.0.0.1",
  port: 8000,
  metricsHost: "127.0.0.1",
  metricsPort: undefined,
  requestTimeout: 20,
  maxConnections: 20_000,
  strictTransportSecurity: 0,
  logLevel: "info",
  page: true,
});

/** The rule of a setting. */
export type ConfigRule = SettingRule | { readonly type: "port" };

const host = { type: "text", pattern: /^[A-Za-z0-9.:_-]+$/, form: 'a host such as "127.0.0.1"' } as const;
const port = { type: "port" } as const;
const seconds = (min: number, max: number) => ({ type: "seconds", min, max }) as const;
const count = (of: string, max: number) => ({ type: "count", of, min: 1, max }) as const;

const serverRules = {
  databaseUrl: { type: "text", pattern: /./, form: 'a URL such as "sqlite:./data/tokenpair.db"', secret: true },
  databaseSchema: {
    type: "text",
    pattern: /^(?!pg_)[a-z_][a-z0-9_]{0,39}$/,
    form: "lower-case letters, digits and _, at most 40, not pg_…",
  },
  databaseConnections: count("connections", 10_000),
  databaseMaxWaiting: count("calls", 1_000_000),
  databaseConnectTimeout: seconds(1, 60),
  databaseLockTimeout: seconds(1, 60),
  databaseStatementTimeout: seconds(1, 300),
  databasePreparedStatements: { type: "boolean" },
  databaseListenUrl: {
    type: "text",
    pattern: /^postgres(?:ql)?:\/\//,
    form: "a postgres:// URL",
    optional: true,
    secret: true,
  },
  databaseCa: { type: "text", pattern: /./, form: "the path of a PEM file", optional: true },
  cleanupInterval: seconds(0, days(1)),
  signingKey: { type: "text", pattern: /./, form: "a text that is not empty", optional: true, secret: true },
  // Secret, in case an operator sets the key itself here.
  signingKeyFile: { type: "text", pattern: /./, form: "the path of a file", optional: true, secret: true },
  secret: { type: "text", pattern: /./, form: "a text that is not empty", optional: true, secret: true },
  secretFile: { type: "text", pattern: /./, form: "the path of a file", optional: true, secret: true },
  legacyRefreshKeyFile: { type: "text", pattern: /./, form: "the path of a file", optional: true, secret: true },
  host,
  port,
  metricsHost: host,
  metricsPort: port,
  requestTimeout: seconds(1, 300),
  maxConnections: count("connections", 1_000_000),
  strictTransportSecurity: seconds(0, days(3_650)),
  logLevel: { type: "choice", choices: ["debug", "info", "warn", "error", "silent"] },
  page: { type: "boolean" },
} satisfies Record<keyof ServerSettings, ConfigRule>;

/** The rules of all settings that a config file or the environment may hold: the server's and `createAuth`'s. */
export const configRules: Readonly<Record<string, ConfigRule>> = Object.freeze({ ...serverRules, ...settingRules });

/** Returns whether a setting belongs to the server and not to `createAuth`. */
export function isServerSetting(name: string): name is keyof ServerSettings {
  return Object.hasOwn(serverRules, name);
}

/** Returns what is wrong with a value, as the rest of a sentence about the setting; `null` if the value is valid. */
export function findConfigFault(rule: ConfigRule, value: unknown): string | null {
  if (rule.type !== "port") return findSettingFault(rule, value);
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
    ? null
    : "must be a port from 0 to 65535";
}
