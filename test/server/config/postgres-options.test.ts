import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../../src/server/config/config.ts";
import { toPostgresOptions, toProtection } from "../../../src/server/config/postgres-options.ts";
import { createFolder } from "../folder.ts";

const certificate = resolve(import.meta.dirname, "../../support/tls/localhost.crt");
const url = "postgres://app:hunter2@db.example/app";

async function read(env: Record<string, string>, at = url) {
  return toPostgresOptions(at, await resolveConfig({ directory: createFolder(), env }));
}

describe("toPostgresOptions", () => {
  it("takes the options from the environment, with times in seconds", async () => {
    const env = {
      TOKENPAIR_DATABASE_SCHEMA: "auth",
      TOKENPAIR_DATABASE_CONNECTIONS: "25",
      TOKENPAIR_DATABASE_MAX_WAITING: "50",
      TOKENPAIR_DATABASE_CONNECT_TIMEOUT: "4",
      TOKENPAIR_DATABASE_LOCK_TIMEOUT: "1",
      TOKENPAIR_DATABASE_STATEMENT_TIMEOUT: "9",
      TOKENPAIR_DATABASE_PREPARED_STATEMENTS: "false",
      TOKENPAIR_DATABASE_LISTEN_URL: "postgres://app@direct.example/app",
    };
    expect(await read(env)).toEqual({
      connectionString: url,
      listenConnectionString: "postgres://app@direct.example/app",
      schema: "auth",
      maxConnections: 25,
      maxWaiting: 50,
      connectTimeout: 4_000,
      lockTimeout: 1_000,
      statementTimeout: 9_000,
      preparedStatements: false,
    });
  });

  it("returns the store's defaults and one URL for queries and LISTEN if nothing is set", async () => {
    expect(await read({})).toEqual({
      connectionString: url,
      listenConnectionString: url,
      schema: "tokenpair",
      maxConnections: 10,
      maxWaiting: 1_000,
      connectTimeout: 3_000,
      lockTimeout: 2_000,
      statementTimeout: 5_000,
      preparedStatements: true,
    });
  });

  it("makes every connection verify the server's certificate against databaseCa", async () => {
    const { connectionString, listenConnectionString } = await read({ TOKENPAIR_DATABASE_CA: certificate });
    const query = `sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`;
    expect([connectionString, listenConnectionString]).toEqual([`${url}?${query}`, `${url}?${query}`]);
    const full = await read({ TOKENPAIR_DATABASE_CA: certificate }, `${url}?sslmode=verify-full`);
    expect(full.connectionString).toBe(`${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`);
  });

  it.each<readonly [Record<string, string>, string, string]>([
    [{ TOKENPAIR_DATABASE_CA: "missing.pem" }, url, "missing.pem can't be read"],
    [
      { TOKENPAIR_DATABASE_CA: certificate },
      `${url}?sslmode=require`,
      "conflicts with databaseUrl; remove sslmode and sslrootcert",
    ],
    [
      { TOKENPAIR_DATABASE_CA: certificate },
      `${url}?sslrootcert=x`,
      "conflicts with databaseUrl; remove sslmode and sslrootcert",
    ],
    [{ TOKENPAIR_DATABASE_LOCK_TIMEOUT: "6" }, url, "must not be longer than databaseStatementTimeout"],
    [{ TOKENPAIR_DATABASE_SCHEMA: "pg_auth" }, url, "TOKENPAIR_DATABASE_SCHEMA: must be lower-case letters"],
    [{ TOKENPAIR_DATABASE_SCHEMA: 'x"; DROP' }, url, "TOKENPAIR_DATABASE_SCHEMA: must be lower-case letters"],
    [{ TOKENPAIR_DATABASE_CONNECTIONS: "0" }, url, "TOKENPAIR_DATABASE_CONNECTIONS: must be"],
    [{ TOKENPAIR_DATABASE_LISTEN_URL: "sqlite:x" }, url, "TOKENPAIR_DATABASE_LISTEN_URL: must be a postgres:// URL"],
  ])("refuses %o with the URL %s", async (env, at, reason) => {
    await expect(read(env, at)).rejects.toThrow(reason);
    await expect(read(env, at)).rejects.toThrow(expect.not.stringContaining("hunter2"));
  });

  it("refuses a databaseCa file without a certificate, for example with a key", async () => {
    const directory = createFolder();
    writeFileSync(join(directory, "ca.pem"), "-----BEGIN PRIVATE KEY-----");
    const config = await resolveConfig({ directory, env: { TOKENPAIR_DATABASE_CA: "ca.pem" } });
    expect(() => toPostgresOptions(url, config)).toThrow("holds no PEM certificate");
  });
});

describe("toProtection", () => {
  it.each([
    ["postgres://app@localhost/app", "local"],
    ["postgres://app@127.0.0.1/app", "local"],
    ["postgres://app@[::1]/app", "local"],
    ["postgres:///app?host=/var/run/postgresql", "local"],
    ["postgres://app@%2Fvar%2Frun%2Fpostgresql/app", "local"],
    ["postgres://app@db.example/app?sslmode=verify-full", "verified"],
    ["postgres://app@db.example/app?sslmode=require", "unverified"],
    ["postgres://app@db.example/app?sslmode=no-verify", "unverified"],
    ["postgres://app@db.example/app", "unverified"],
    ["postgres://app@localhost/app?host=db.example", "unverified"],
  ])("classifies the connection of %s as %s", (at, expected) => {
    expect(toProtection(at, { databaseCa: undefined })).toBe(expected);
  });

  it("classifies a connection with databaseCa as verified", () => {
    expect(toProtection(url, { databaseCa: "ca.pem" })).toBe("verified");
  });
});
