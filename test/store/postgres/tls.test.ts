import { appendFileSync, chmodSync, chownSync, copyFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPostgresStore } from "../../../src/server/config/database.ts";
import { defaultServerSettings } from "../../../src/server/config/server-settings.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { migrations } from "../../../src/store/postgres/schema/migrations.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres.ts";

const folder = resolve(import.meta.dirname, "../../support/tls");
const certificate = join(folder, "localhost.crt");

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** Gives the server the certificate for `localhost`. */
function enableTls(dataFolder: string): void {
  const { uid, gid } = statSync(dataFolder);
  for (const ending of ["key", "crt"]) {
    const copy = join(dataFolder, `server.${ending}`);
    copyFileSync(join(folder, `localhost.${ending}`), copy);
    chownSync(copy, uid, gid);
    chmodSync(copy, 0o600);
  }
  appendFileSync(join(dataFolder, "postgresql.conf"), "\nssl = on\n");
}

async function connect(host: string, parameters: string): Promise<readonly string[]> {
  const connectionString = `postgres://postgres:password@${host}:${server.port}/postgres?${parameters}`;
  const store = postgresStore({ connectionString });
  return store.migrate().finally(() => store.close());
}

describe("a PostgreSQL store that asks for sslmode=verify-full", () => {
  it("does not talk to a server without TLS", async () => {
    await expect(connect("localhost", "sslmode=verify-full")).rejects.toThrow(/does not support SSL/);
  });

  it("talks to the server whose certificate it trusts for that name, and to no other", async () => {
    await server.restart({ whileDown: async (dataFolder) => enableTls(dataFolder) });
    await expect(connect("localhost", "sslmode=verify-full")).rejects.toThrow("DEPTH_ZERO_SELF_SIGNED_CERT");
    const trusted = `sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`;
    await expect(connect("127.0.0.1", trusted)).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await connect("localhost", trusted)).toEqual(migrations.map(({ name }) => name));
  });

  it("does so by the server's setting databaseCa too", async () => {
    const config = { server: { ...defaultServerSettings, databaseCa: certificate }, directory: "/" };
    const open = (host: string) =>
      openPostgresStore(`postgres://postgres:password@${host}:${server.port}/postgres`, config);
    const [trusted, misnamed] = [open("localhost"), open("127.0.0.1")];
    expect(await trusted.migrate()).toEqual([]);
    await expect(misnamed.checkSchema()).rejects.toThrow("ERR_TLS_CERT_ALTNAME_INVALID");
    await trusted.close();
    await misnamed.close();
  });
});
