import { days } from "../../core/settings/durations.ts";
import { findSettingFault } from "../../core/settings/faults.ts";
import { type SettingRule, settingRules } from "../../core/settings/rules.ts";

/** The lowest level that the server logs. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** The settings that only `tokenpair serve` has. It also takes the settings of `createAuth`. */
export interface ServerSettings {
  /**
   * The database: `sqlite:` and a path relative to the working directory, or `sqlite::memory:`, or
   * `postgres://user@host/database`, which needs the package `pg`. Default: "sqlite:./data/tokenpair.db".
   */
  readonly databaseUrl: string;
  /**
   * The schema that contains the tables in PostgreSQL. Its name has lower-case letters, digits and `_`. Default:
   * "tokenpair".
   */
  readonly databaseSchema: string;
  /**
   * The maximum number of connections of this node's pool to PostgreSQL. The node uses one more to read the revocation
   * feed, and up to two for LISTEN. Default: 10.
   */
  readonly databaseConnections: number;
  /**
   * The maximum number of calls that wait for a PostgreSQL connection. Further calls get a 503 immediately. Default: 1000.
   */
  readonly databaseMaxWaiting: number;
  /** How long to wait for a PostgreSQL connection, new or from the pool, in seconds. Default: 3. */
  readonly databaseConnectTimeout: number;
  /** How long a PostgreSQL statement waits for a lock, in seconds. Default: 2. */
  readonly databaseLockTimeout: number;
  /** How long a PostgreSQL statement may take, in seconds. It must be at least `databaseLockTimeout`. Default: 5. */
  readonly databaseStatementTimeout: number;
  /** Whether to use prepared statements. Behind PgBouncer, they need version 1.21 or later. Default: true. */
  readonly databasePreparedStatements: boolean;
  /** The URL for LISTEN. Set it if `databaseUrl` leads to a proxy that pools transactions. Default: `databaseUrl`. */
  readonly databaseListenUrl: string | undefined;
  /**
   * The path of a PEM file with CA certificates. It turns on TLS, and makes the server verify PostgreSQL's certificate and
   * host name. Default: Node's CA certificates, if `databaseUrl` has `sslmode=verify-full`.
   */
  readonly databaseCa: string | undefined;
  /** How often the server deletes expired rows, in seconds, ±10 %. 0 means never. Default: 0. */
  readonly cleanupInterval: number;
  /**
   * The key that signs access tokens: a private key as PEM or JWK, which `tokenpair keys generate` creates, or an HMAC
   * secret. If the value is the path of an existing file, the file contains the key. Any other value that looks like a
   * path, a URL or a placeholder is refused. Default: with `keyEncryptionKey`, a key of the key ring. Otherwise, an HMAC
   * secret that is created once, in the folder of the SQLite database.
   */
  readonly signingKey: string | undefined;
  /** The path of a text file that contains the key. Use it instead of `signingKey`. Default: none. */
  readonly signingKeyFile: string | undefined;
  /**
   * The installation's secret, of at least 32 bytes. The keys of refresh, CSRF and device tokens are derived from it. All
   * nodes share it, and it stays the same when the signing key changes. To move from an HMAC secret to a private key, set
   * `secret` to the former signing key. Default: `signingKey`, if that is an HMAC secret. Otherwise, a secret that is
   * created once: with `keyEncryptionKey` in the database, without it in the folder of the SQLite database.
   */
  readonly secret: string | undefined;
  /** The path of a text file that contains the secret. Use it instead of `secret`. Default: none. */
  readonly secretFile: string | undefined;
  /**
   * The path of a text file with the key that verifies refresh tokens of simplejwt. For an HMAC algorithm, it is
   * simplejwt's `SIGNING_KEY` (by default Django's `SECRET_KEY`), otherwise its `VERIFYING_KEY` as PEM. Until
   * `legacyRefreshUntil`, each of these tokens is accepted once. Default: none.
   */
  readonly legacyRefreshKeyFile: string | undefined;
  /** The address to listen on. Default: "127.0.0.1". */
  readonly host: string;
  /** The port to listen on. 0 means any free port. Default: 8000. */
  readonly port: number;
  /** The address at which `GET /metrics` is served. Default: "127.0.0.1". */
  readonly metricsHost: string;
  /** The port at which `GET /metrics` is served. Default: none, so there are no metrics. */
  readonly metricsPort: number | undefined;
  /**
   * How many seconds a client may take to send its request, and how long it may pause while it reads the response. Default:
   * 20.
   */
  readonly requestTimeout: number;
  /** The maximum number of open client connections. Further connections are closed immediately. Default: 20000. */
  readonly maxConnections: number;
  /**
   * How long the server still accepts connections after SIGTERM or SIGINT, in seconds. Meanwhile `/readyz` answers 503, so that
   * load balancers stop sending requests. It must be longer than they take to notice. Default: 0.
   */
  readonly shutdownDelay: number;
  /**
   * The number of processes that answer requests. Each is a separate node, with its own memory and connections to the
   * database. Use about one for each core. It must be 1 with `sqlite::memory:`. Default: 1.
   */
  readonly workers: number;
  /**
   * The `max-age` of `Strict-Transport-Security`, in seconds: for this long, browsers use only https. Set it if all clients
   * use a TLS proxy that doesn't add this header itself. Default: 0, no header.
   */
  readonly strictTransportSecurity: number;
  /** The lowest level that is logged: debug, info, warn, error or silent. Default: "info". */
  readonly logLevel: LogLevel;
  /** Whether to serve the page on which users log in and see their devices, at `/`. Default: true. */
  readonly page: boolean;
  /**
   * Whether to serve the console at `/console/` and the staff API at `/api/admin/`. Users with a role may use them. Default: false.
   */
  readonly console: boolean;
  /** The address of the separate listener for the console and the staff API. Default: "127.0.0.1". */
  readonly consoleHost: string;
  /**
   * The port of a separate listener for the console and the staff API, with the endpoints for login and account that
   * they need. On `port`, the console and the staff API then answer 404. Default: none, so `port` serves them too.
   */
  readonly consolePort: number | undefined;
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
  shutdownDelay: 0,
  workers: 1,
  strictTransportSecurity: 0,
  logLevel: "info",
  page: true,
  console: false,
  consoleHost: "127.0.0.1",
  consolePort: undefined,
});

/** The rule that the value of a setting must follow. */
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
  shutdownDelay: seconds(0, 300),
  workers: count("workers", 256),
  strictTransportSecurity: seconds(0, days(3_650)),
  logLevel: { type: "choice", choices: ["debug", "info", "warn", "error", "silent"] },
  page: { type: "boolean" },
  console: { type: "boolean" },
  consoleHost: host,
  consolePort: port,
} satisfies Record<keyof ServerSettings, ConfigRule>;

/**
 * The rules of all settings that the config file or the environment can contain: those of the server and of `createAuth`.
 */
export const configRules: Readonly<Record<string, ConfigRule>> = Object.freeze({ ...serverRules, ...settingRules });

/** Returns whether a setting belongs to the server and not to `createAuth`. */
export function isServerSetting(name: string): name is keyof ServerSettings {
  return Object.hasOwn(serverRules, name);
}

/**
 * Returns what is wrong with a value, or `null` if it is valid. The text completes a sentence that begins with the
 * setting's name.
 */
export function findConfigFault(rule: ConfigRule, value: unknown): string | null {
  if (rule.type !== "port") return findSettingFault(rule, value);
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
    ? null
    : "must be a port from 0 to 65535";
}
