import { days } from "../../core/settings/durations.ts";
import { findSettingFault } from "../../core/settings/faults.ts";
import { type SettingRule, settingRules } from "../../core/settings/rules.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** What only the server needs to know, beside the settings of `createAuth`. */
export interface ServerSettings {
  /**
   * `sqlite:` and a path that starts at the working directory, or `sqlite::memory:`, or `postgres://user@host/database`
   * (needs the package `pg`). Default: "sqlite:./data/tokenpair.db".
   */
  readonly databaseUrl: string;
  /** The schema of the tables in PostgreSQL: lower-case letters, digits and `_`. Default: "tokenpair". */
  readonly databaseSchema: string;
  /** How many connections to PostgreSQL this node may hold, and one more to listen. Default: 10. */
  readonly databaseConnections: number;
  /** How many calls may wait for a connection to PostgreSQL; the next is answered 503 at once. Default: 1000. */
  readonly databaseMaxWaiting: number;
  /** How long to wait for a connection to PostgreSQL, new or out of the pool. Default: 3 seconds. */
  readonly databaseConnectTimeout: number;
  /** How long a statement waits for a lock in PostgreSQL. Default: 2 seconds. */
  readonly databaseLockTimeout: number;
  /** How long a statement may take in PostgreSQL, at least the time for a lock. Default: 5 seconds. */
  readonly databaseStatementTimeout: number;
  /** Whether statements are prepared in PostgreSQL; a proxy that loses one (PgBouncer before 1.21) ends that. Default: true. */
  readonly databasePreparedStatements: boolean;
  /** Where to LISTEN, if `databaseUrl` leads to a proxy that pools transactions. Default: `databaseUrl`. */
  readonly databaseListenUrl: string | undefined;
  /**
   * The path of the certificates, as PEM, by which PostgreSQL's own is checked, name included; turns TLS on. Default: those
   * that Node trusts, where `databaseUrl` says `sslmode=verify-full`.
   */
  readonly databaseCa: string | undefined;
  /** How often the server deletes dead sessions and old revocations, give or take a tenth; 0 for never. Default: 0. */
  readonly cleanupInterval: number;
  /** The HMAC secret, or the path of the file that holds it. Default: made once and kept beside the SQLite file. */
  readonly signingKey: string | undefined;
  /** The address to listen on. Default: "127.0.0.1". */
  readonly host: string;
  /** The port to listen on; 0 takes any free one. Default: 8000. */
  readonly port: number;
  /** The address of `GET /metrics`. Default: "127.0.0.1". */
  readonly metricsHost: string;
  /** The port of `GET /metrics`. Default: none, and no metrics. */
  readonly metricsPort: number | undefined;
  /** Seconds in which a client has to send its request, and to move on with the answer. Default: 20. */
  readonly requestTimeout: number;
  /** How many connections are open at once; more are closed at once. Default: 20000. */
  readonly maxConnections: number;
  /**
   * Seconds for which browsers come back by https alone (`Strict-Transport-Security`); set it where everything in front of
   * the server speaks TLS and adds no such header itself. Default: 0, no header.
   */
  readonly strictTransportSecurity: number;
  /** What is logged: debug, info, warn, error or silent. Default: "info". */
  readonly logLevel: LogLevel;
  /** Whether `/` is the page on which users log in and see their devices. Default: true. */
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

/** What a setting of the server may be. */
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
  host,
  port,
  metricsHost: host,
  metricsPort: port,
  requestTimeout: { type: "seconds", min: 1, max: 300 },
  maxConnections: { type: "count", of: "connections", min: 1, max: 1_000_000 },
  strictTransportSecurity: { type: "seconds", min: 0, max: days(3_650) },
  logLevel: { type: "choice", choices: ["debug", "info", "warn", "error", "silent"] },
  page: { type: "boolean" },
} satisfies Record<keyof ServerSettings, ConfigRule>;

/** The rule of every setting that a config file or the environment may have: the server's and `createAuth`'s. */
export const configRules: Readonly<Record<string, ConfigRule>> = Object.freeze({ ...serverRules, ...settingRules });

/** Whether this is a setting of the server, and not of `createAuth`. */
export function isServerSetting(name: string): name is keyof ServerSettings {
  return Object.hasOwn(serverRules, name);
}

/** What is wrong with a value, to be read after the setting's name; `null` where it may stand. */
export function findConfigFault(rule: ConfigRule, value: unknown): string | null {
  if (rule.type !== "port") return findSettingFault(rule, value);
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
    ? null
    : "must be a port from 0 to 65535";
}
