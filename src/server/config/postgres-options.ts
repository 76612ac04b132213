import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { PostgresConnectionOptions } from "../../store/postgres/index.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";

/**
 * What the settings make of a PostgreSQL server's URL.
 *
 * @throws ConfigError that names the setting; it never repeats a URL, which may hold a password.
 */
export function toPostgresOptions(
  url: string,
  { server, directory }: Pick<Config, "server" | "directory">,
): PostgresConnectionOptions {
  const { databaseCa: ca, databaseListenUrl: listenUrl = url } = server;
  if (server.databaseLockTimeout > server.databaseStatementTimeout) {
    throw new ConfigError("databaseLockTimeout: must not be longer than databaseStatementTimeout");
  }
  if (!URL.canParse(listenUrl)) throw new ConfigError("databaseListenUrl: is no URL");
  const withTls = (setting: string, given: string) =>
    ca === undefined ? given : withCa(setting, given, ca, directory);
  return {
    connectionString: withTls("databaseUrl", url),
    listenConnectionString: withTls("databaseListenUrl", listenUrl),
    schema: server.databaseSchema,
    maxConnections: server.databaseConnections,
    maxWaiting: server.databaseMaxWaiting,
    connectTimeout: server.databaseConnectTimeout * 1_000,
    lockTimeout: server.databaseLockTimeout * 1_000,
    statementTimeout: server.databaseStatementTimeout * 1_000,
    preparedStatements: server.databasePreparedStatements,
  };
}

/** Whether nobody between this machine and the server of `url` can read along or stand in for it. */
export function isPrivate(url: string, { databaseCa }: Pick<Config["server"], "databaseCa">): boolean {
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get("host") ?? decodeURIComponent(hostname);
  const isThisMachine = /^(?:|localhost|127\.[0-9.]+|\[?::1\]?|\/.*)$/.test(host);
  return isThisMachine || databaseCa !== undefined || searchParams.get("sslmode") === "verify-full";
}

/** Has `pg` check the server's certificate and name: its own options give way to what the connection string says. */
function withCa(setting: string, url: string, ca: string, directory: string): string {
  const path = resolve(directory, ca);
  requireCertificates(path);
  const { searchParams } = new URL(url);
  const mode = searchParams.get("sslmode");
  if (searchParams.has("sslrootcert") || (mode !== null && mode !== "verify-full")) {
    throw new ConfigError(`databaseCa: ${setting} says otherwise; remove sslmode and sslrootcert from it`);
  }
  const query = new URLSearchParams({ ...(mode === null ? { sslmode: "verify-full" } : {}), sslrootcert: path });
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

function requireCertificates(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (cause) {
    throw new ConfigError(`databaseCa: ${path} cannot be read; check its path, owner and mode`, { cause });
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new ConfigError(`databaseCa: ${path} has no certificate in PEM`);
}
