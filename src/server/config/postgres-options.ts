import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { PostgresConnectionOptions } from "../../store/postgres/index.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";

/**
 * Returns the store's options for a PostgreSQL server.
 *
 * @param url the connection string.
 * @throws ConfigError that names the setting. It never quotes a URL, because it may contain a password.
 */
export function toPostgresOptions(
  url: string,
  { server, directory }: Pick<Config, "server" | "directory">,
): PostgresConnectionOptions {
  const { databaseCa: ca, databaseListenUrl: listenUrl = url } = server;
  if (server.databaseLockTimeout > server.databaseStatementTimeout) {
    throw new ConfigError("databaseLockTimeout: must not be longer than databaseStatementTimeout");
  }
  if (!URL.canParse(listenUrl)) throw new ConfigError("databaseListenUrl: is not a valid URL");
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

/**
 * Returns how the connection to a PostgreSQL server is protected. `local`: it never leaves this machine. `verified`: TLS
 * verifies the server's certificate and name. `unverified`: an attacker on the network can impersonate the server.
 */
export function toProtection(
  url: string,
  { databaseCa }: Pick<Config["server"], "databaseCa">,
): "local" | "verified" | "unverified" {
  const { hostname, searchParams } = new URL(url);
  const host = searchParams.get("host") ?? decodeURIComponent(hostname);
  if (/^(?:|localhost|127\.[0-9.]+|\[?::1\]?|\/.*)$/.test(host)) return "local";
  return databaseCa !== undefined || searchParams.get("sslmode") === "verify-full" ? "verified" : "unverified";
}

/** Adds the CA to the connection string, because `pg` gives the string priority over its other options. */
function withCa(setting: string, url: string, ca: string, directory: string): string {
  const path = resolve(directory, ca);
  requireCertificates(path);
  const { searchParams } = new URL(url);
  const mode = searchParams.get("sslmode");
  if (searchParams.has("sslrootcert") || (mode !== null && mode !== "verify-full")) {
    throw new ConfigError(`databaseCa: conflicts with ${setting}; remove sslmode and sslrootcert from that URL`);
  }
  const query = new URLSearchParams({ ...(mode === null ? { sslmode: "verify-full" } : {}), sslrootcert: path });
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

function requireCertificates(path: string): void {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (cause) {
    throw new ConfigError(`databaseCa: ${path} can't be read; check its path, owner and mode`, { cause });
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----")) {
    throw new ConfigError(`databaseCa: ${path} holds no PEM certificate; name the CA's certificate file`);
  }
}
