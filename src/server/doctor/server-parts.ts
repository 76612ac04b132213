import type { Store } from "../../core/store/index.ts";
import type { StaffHealth } from "../../staff/api.ts";
import type { ServerParts } from "../../staff/server-parts.ts";
import { toSettingViews } from "../../staff/settings-view.ts";
import type { PostgresStore } from "../../store/postgres/index.ts";
import type { Config } from "../config/config.ts";
import { type Database, parseDatabaseUrl } from "../config/database.ts";
import { defaultServerSettings, type ServerSettings } from "../config/server-settings.ts";
import { checkOpenDatabase } from "./database-checks.ts";
import { checkKeys } from "./key-check.ts";
import { checkLegacyKey } from "./legacy-checks.ts";
import { checkSettings } from "./setting-checks.ts";

/** Whether the staff may see each setting of the server. URLs may contain a password, and paths say where keys lie. */
const isShown = {
  databaseUrl: false,
  databaseSchema: true,
  databaseConnections: true,
  databaseMaxWaiting: true,
  databaseConnectTimeout: true,
  databaseLockTimeout: true,
  databaseStatementTimeout: true,
  databasePreparedStatements: true,
  databaseListenUrl: false,
  databaseCa: false,
  cleanupInterval: true,
  signingKey: false,
  signingKeyFile: false,
  secret: false,
  secretFile: false,
  legacyRefreshKeyFile: false,
  host: true,
  port: true,
  metricsHost: true,
  metricsPort: true,
  requestTimeout: true,
  maxConnections: true,
  shutdownDelay: true,
  workers: true,
  strictTransportSecurity: true,
  logLevel: true,
  page: true,
  console: true,
  consoleHost: true,
  consolePort: true,
} as const satisfies Record<keyof ServerSettings, boolean>;

/** Creates what the console can only show in `tokenpair serve`. */
export function createServerParts(store: Store, config: Config): ServerParts {
  const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
  const names = (Object.keys(isShown) as (keyof ServerSettings)[]).filter((name) => isShown[name]);
  return {
    runChecks: async () => [
      ...(await checkOpenDatabase(store, database, config)),
      ...checkKeys(config, database),
      ...checkLegacyKey(config),
      ...checkSettings(config),
    ],
    settings: toSettingViews(names, config.server, defaultServerSettings),
    describeDatabase: () => describeDatabase(store, database),
  };
}

async function describeDatabase(store: Store, database: Database): Promise<StaffHealth["database"]> {
  const { postgresUrl, label } = database;
  if (postgresUrl === undefined) return [{ name: "Engine", value: "SQLite" }];
  const { engine, maxConnections } = await (store as PostgresStore).inspect();
  return [
    { name: "Engine", value: /^PostgreSQL [\d.]+/.exec(engine)?.[0] ?? engine.slice(0, 40) },
    { name: "Server", value: label },
    { name: "Connections allowed", value: String(maxConnections) },
  ];
}
