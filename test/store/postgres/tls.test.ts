import { appendFileSync, chmodSync, chownSync, copyFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { openPostgresStore } from "../../../src/server/config/database.ts";
import { defaultServerSettings } from "../../../src/server/config/server-settings.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { migrations } from "../../../src/store/postgres/schema/migrations.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { provideServer } from "./server.ts";

const folder = resolve(import.meta.dirname, "../../support/tls");
const certificate = join(folder, "localhost.crt");

const server = provideServer();

/** Configures the server with the certificate for `localhost`. */
function enableTls(dataFolder: string): void {
  const { uid, gid } = statSync(dataFolder);
  for (const extension of ["key", "crt"]) {
    const copy = join(dataFolder, `server.${extension}`);
    copyFileSync(join(folder, `localhost.${extension}`), copy);
    chownSync(copy, uid, gid);
    chmodSync(copy, 0o600);
  }
  appendFileSync(join(dataFolder, "postgresql.conf"), "\nssl = on\n");
}

async function connect(host: string, parameters: string): Promise<readonly string[]> {
  const connectionString = `postgres://postgres:password@${host}:${server.port}/postgres?${parameters}`;
  const store = postgresStore({ connectionString, ...longTimeouts });
  return store.migrate().finally(() => store.close());
}

describe("a PostgreSQL store with sslmode=verify-full", () => {
  it("refuses a server without TLS", async () => {
    await expect(connect("localhost", "sslmode=verify-full")).rejects.toThrow(/does not support SSL/);
  });

  it("accepts a server only if its certificate is trusted and names the host", async () => {
    await server.restart({ whileDown: async (dataFolder) => enableTls(dataFolder) });
    await expect(connect("localhost", "sslmode=verify-full")).rejects.toThrow("DEPTH_ZERO_SELF_SIGNED_CERT");
    const trusted = `sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`;
    await expect(connect("127.0.0.1", trusted)).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await connect("localhost", trusted)).toEqual(migrations.map(({ name }) => name));
  });

  it("trusts the certificate of the server setting databaseCa", async () => {
    const timeouts = { databaseConnectTimeout: 60, databaseLockTimeout: 60, databaseStatementTimeout: 60 };
    const config = { server: { ...defaultServerSettings, ...timeouts, databaseCa: certificate }, directory: "/" };
    const open = (host: string) =>
      openPostgresStore(`postgres://postgres:password@${host}:${server.port}/postgres`, config);
    const [trusted, misnamed] = [open("localhost"), open("127.0.0.1")];
    expect(await trusted.migrate()).toEqual([]);
    await expect(misnamed.checkSchema()).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
    await trusted.close();
    await misnamed.close();
  });
});
