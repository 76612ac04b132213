import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

let server: PostgresServer;
let folder: string;
let certificate: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tokenpair-tls-"));
  certificate = join(folder, "server.crt");
  server = await startPostgres();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});
beforeEach((ctx) => {
  if (!hasOpenssl) ctx.skip("openssl, which makes the certificate, is not installed");
});

/** Makes a certificate for `localhost` and gives it to the server. */
function enableTls(dataFolder: string): void {
  const key = join(folder, "server.key");
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost";
  const files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate];
  execFileSync("openssl", [...request.split(" "), ...files], { stdio: "ignore" });
  const { uid, gid } = statSync(dataFolder);
  for (const name of ["server.key", "server.crt"]) {
    copyFileSync(join(folder, name), join(dataFolder, name));
    chownSync(join(dataFolder, name), uid, gid);
    chmodSync(join(dataFolder, name), 0o600);
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
    expect(await connect("localhost", trusted)).toEqual(["0001_initial"]);
  });
});
