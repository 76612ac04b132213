import { days } from "../core/durations.ts";
import { findSettingFault, type SettingRule, settingRules } from "../core/setting-rules.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/** What only the server needs to know, beside the settings of `createAuth`. */
export interface ServerSettings {
  /**
   * `sqlite:` and a path that starts at the working directory, or `sqlite::memory:`, or `postgres://user@host/database`
   * (needs the package `pg`). Default: "sqlite:./data/tokenpair.db".
   */
  readonly databaseUrl: string;
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

const serverRules = {
  databaseUrl: { type: "text", pattern: /./, form: 'a URL such as "sqlite:./data/tokenpair.db"' },
  signingKey: { type: "text", pattern: /./, form: "a text that is not empty", optional: true },
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
