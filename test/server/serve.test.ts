import { generateKeyPairSync } from "node:crypto";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { resolveConfig } from "../../src/server/config/config.ts";
import { ConfigError } from "../../src/server/config/config-error.ts";
import type { ServerSettings } from "../../src/server/config/server-settings.ts";
import { createHealth } from "../../src/server/handlers/health.ts";
import { type ServeOptions, serve } from "../../src/server/serve.ts";
import { findFreePort } from "../support/free-port.ts";
import { djangoSecret } from "../support/simplejwt.ts";
import { createFolder } from "./folder.ts";

/** Starts a server on any free port, with a database in an empty folder. @returns it with the lines of its log. */
async function start(flags: Partial<ServerSettings> = {}, options: Partial<ServeOptions> = {}, env = {}) {
  const directory = createFolder();
  const lines: string[] = [];
  const config = await resolveConfig({ directory, env, flags: { port: 0, ...flags } });
  const server = await serve(config, { logTo: { write: (line) => void lines.push(line) }, ...options });
  onTestFinished(() => server.close());
  // Removes the events of the start.
  lines.length = 0;
  return { ...server, directory, lines };
}

const isWarning = ({ level }: Record<string, unknown>) => level === "warn";

function post(url: string, body: object): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

describe("serve", () => {
  it("migrates the database, creates a signing key, and answers the endpoints of the contract", async () => {
    const { url, directory, createdKey, demo } = await start({}, { demo: true });
    expect(createdKey?.file).toBe(join(directory, "data/signing.key"));
    const login = await post(`${url}/api/token/`, demo ?? {});
    expect(login.status).toBe(200);
    const { access } = (await login.json()) as { access: string };
    const me = await fetch(`${url}/api/auth/me/`, { headers: { Authorization: `Bearer ${access}` } });
    expect(await me.json()).toMatchObject({ username: "demo" });
  });

  it("warns that simplejwt's revoked tokens are missing, and that its key is ignored when the time is over", async () => {
    const move = (legacyRefreshUntil: string) => {
      const env = { TOKENPAIR_LEGACY_REFRESH_KEY_FILE: djangoKey, TOKENPAIR_LEGACY_REFRESH_UNTIL: legacyRefreshUntil };
      return start({}, {}, env);
    };
    const djangoKey = join(createFolder(), "django.key");
    writeFileSync(djangoKey, djangoSecret);
    const soon = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
    expect((await move(soon)).warnings).toEqual([
      "No revoked token of simplejwt is stored, so all of its tokens are accepted once. Import token_blacklist with `tokenpair users import`.",
    ]);
    expect((await move("2026-01-01")).warnings).toEqual([
      "legacyRefreshUntil is over, so the key of simplejwt is ignored. Remove legacyRefreshKeyFile and legacyRefreshUntil.",
    ]);
    expect((await start()).warnings).toEqual([]);
  });

  it("gives every response an id that its line in the log has, too", async () => {
    const { url, lines } = await start();
    const response = await fetch(`${url}/nowhere?x=1`);
    expect(response.status).toBe(404);
    const [line] = lines.map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(line).toMatchObject({ msg: "request", path: "/nowhere", status: 404, ip: "127.0.0.1" });
    expect(line?.["id"]).toBe(response.headers.get("X-Request-Id"));
  });

  it("logs once that browsers don't keep the cookies if a page was loaded over plain http", async () => {
    const { url, lines } = await start();
    const own = `localhost.example:${new URL(url).port}`;
    for (let n = 0; n < 2; n++) {
      await new Promise((resolve) =>
        get(`${url}/api/auth/csrf/`, { headers: { Host: own, Origin: `http://${own}` } }, (response) =>
          response.resume().on("end", resolve),
        ),
      );
    }
    const warnings = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(isWarning);
    expect(warnings).toMatchObject([{ msg: expect.stringContaining("set insecureCookies") }]);
  });

  it("sends Strict-Transport-Security if the setting is on", async () => {
    const header = async (flags: Partial<ServerSettings>) =>
      (await fetch(`${(await start(flags)).url}/healthz`)).headers.get("Strict-Transport-Security");
    expect(await header({})).toBeNull();
    expect(await header({ strictTransportSecurity: 31_536_000 })).toBe("max-age=31536000");
  });

  it("logs a malformed request in one line, without quoting it", async () => {
    const { url, lines } = await start();
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write("planted-secret\r\n\r\n"));
    expect(await text(socket)).toContain('{"detail":"Bad request.","code":"bad_request"}');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ msg: "malformed request", status: 400 }]);
    expect(lines.join()).not.toContain("planted-secret");
  });

  it("keeps the database and the signing key in memory with sqlite::memory:", async () => {
    const { createdKey, directory, database } = await start({ databaseUrl: "sqlite::memory:" });
    expect(createdKey).toMatchObject({ file: null });
    expect(database).toBe("SQLite in memory");
    expect(existsSync(join(directory, "data"))).toBe(false);
  });

  it("creates the demo user only with the option demo, and only if there are no users", async () => {
    expect((await start()).demo).toBeNull();
    const first = await start({}, { demo: true });
    expect(first.demo).toMatchObject({ username: "demo", password: expect.stringMatching(/^.{24}$/) });
    await first.close();
    const config = await resolveConfig({ directory: first.directory, env: {}, flags: { port: 0 } });
    const second = await serve(config, { logTo: { write() {} }, demo: true });
    onTestFinished(() => second.close());
    expect(second.demo).toBeNull();
    expect(second.createdKey).toBeNull();
  });

  it("gives the demo user a password of at least minPasswordLength", async () => {
    const { demo } = await start({}, { demo: true }, { TOKENPAIR_MIN_PASSWORD_LENGTH: "51" });
    expect(demo?.password).toMatch(/^[0-9a-f]{52}$/);
  });

  it("serves metrics on metricsPort only", async () => {
    const { url, metricsUrl } = await start({ metricsPort: 0 });
    await post(`${url}/api/token/`, { username: "nobody", password: "x" });
    const text = await (await fetch(metricsUrl ?? "")).text();
    expect(text).toContain('tokenpair_logins_total{outcome="no_active_account"} 1');
    expect(text).toContain('route="token",status="401"');
    expect(text).toContain("tokenpair_revocations_live 0");
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await start()).metricsUrl).toBeNull();
  });

  it("closes everything that it has opened if it can't start", async () => {
    const { url, directory } = await start();
    const metricsPort = await findFreePort();
    const flags = { port: Number(new URL(url).port), metricsPort };
    const failing = serve(await resolveConfig({ directory, env: {}, flags }), { logTo: { write() {} } });
    await expect(failing).rejects.toThrow("is in use");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${metricsPort}/metrics`)).rejects.toThrow("fetch failed");
  });

  it("refuses to start if the revocations can't be loaded", async () => {
    const { directory, close } = await start();
    await close();
    const database = new DatabaseSync(join(directory, "data/tokenpair.db"));
    database.exec("DROP TABLE revocations");
    database.close();
    const failing = serve(await resolveConfig({ directory, env: {}, flags: { port: 0 } }), { logTo: { write() {} } });
    await expect(failing).rejects.toThrow("no such table");
  });

  it("refuses a signing key that is too short for its algorithm", async () => {
    const starting = start({}, {}, { TOKENPAIR_SIGNING_KEY: "too short" });
    await expect(starting).rejects.toThrow("signingKey must have at least 32 bytes for HS256, got 9");
  });
});

describe("the keys of serve", () => {
  const pem = generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
  const named = { TOKENPAIR_ISSUER: "https://id.example", TOKENPAIR_AUDIENCE: "api" };
  const kek = `2026:${Buffer.alloc(32, "a kek for the tests of serve").toString("base64url")}`;

  /** Starts another server in the folder of one that has been closed. */
  async function startAgain(directory: string, env: Record<string, string>) {
    const server = await serve(await resolveConfig({ directory, env, flags: { port: 0 } }), { logTo: { write() {} } });
    onTestFinished(() => server.close());
    return server;
  }

  const logIn = async (url: string, demo: object | null) =>
    (await (await post(`${url}/api/token/`, demo ?? {})).json()) as { access: string; refresh: string };
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;

  it("may be a private key, whose public half is published, and a secret that is created beside the database", async () => {
    const { url, directory, createdKey, warnings, demo } = await start(
      {},
      { demo: true },
      {
        ...named,
        TOKENPAIR_SIGNING_KEY: pem,
      },
    );
    expect(createdKey).toEqual({ key: "secret", file: join(directory, "data/secret.key") });
    expect(warnings).toEqual([]);
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
    const { access, refresh } = await logIn(url, demo);
    expect(keys.map(({ kid }) => kid)).toEqual([kidOf(access)]);
    expect(kidOf(refresh)).toBe("r1");
  });

  it("start with a warning if a private key signs tokens without issuer or audience", async () => {
    const { warnings } = await start({}, {}, { TOKENPAIR_SIGNING_KEY: pem });
    expect(warnings).toEqual([expect.stringMatching(/^issuer and audience are not set\. /)]);
    const ring = await start({}, {}, { TOKENPAIR_KEY_ENCRYPTION_KEY: kek, TOKENPAIR_ISSUER: "https://id.example" });
    expect(ring.warnings).toEqual([expect.stringMatching(/^audience is not set\. /)]);
  });

  it("move from the secret in signing.key to the key ring, and the session continues", async () => {
    const first = await start({}, { demo: true });
    const { access, refresh } = await logIn(first.url, first.demo);
    await first.close();
    const second = await startAgain(first.directory, { ...named, TOKENPAIR_KEY_ENCRYPTION_KEY: kek });
    expect(second.createdKey).toBeNull();
    const response = await post(`${second.url}/api/token/refresh/`, { refresh });
    expect(response.status).toBe(200);
    const next = (await response.json()) as { access: string; refresh: string };
    expect(kidOf(next.access)).not.toBe(kidOf(access));
    expect([kidOf(refresh), kidOf(next.refresh)]).toEqual(["r1", "r1"]);
  });

  it("stop the start with a sentence if the key encryption key is another one, or the secret is lost", async () => {
    const { directory, close, url, demo } = await start(
      {},
      { demo: true },
      {
        ...named,
        TOKENPAIR_KEY_ENCRYPTION_KEY: kek,
      },
    );
    await logIn(url, demo);
    await close();
    const other = `2027:${Buffer.alloc(32, "another kek for these tests").toString("base64url")}`;
    const failing = startAgain(directory, { ...named, TOKENPAIR_KEY_ENCRYPTION_KEY: other });
    await expect(failing).rejects.toThrow(ConfigError);
    await expect(failing).rejects.toThrow(/^keyEncryptionKey lacks the key "2026", which encrypts the key/);
    // A key that was created now would keep the key ring closed.
    for (const env of [{}, { ...named, TOKENPAIR_SIGNING_KEY: pem }]) {
      await expect(startAgain(directory, env)).rejects.toThrow(
        /^keyEncryptionKey: is missing: the key "2026" encrypts/,
      );
    }
    const again = await startAgain(directory, { ...named, TOKENPAIR_KEY_ENCRYPTION_KEY: kek });
    expect(again.createdKey).toBeNull();

    const { directory: folder, ...hmac } = await start(
      {},
      { demo: true },
      { TOKENPAIR_SIGNING_KEY: "0123456789abcdefghijklmnopqrstuvwxyz" },
    );
    await logIn(hmac.url, hmac.demo);
    await hmac.close();
    const lost = startAgain(folder, { ...named, TOKENPAIR_SIGNING_KEY: pem });
    await expect(lost).rejects.toThrow(ConfigError);
    await expect(lost).rejects.toThrow(/^secret: is missing: the sessions in the database were made with another one/);
    expect(existsSync(join(folder, "data/secret.key"))).toBe(false);
  });
});

describe("every resource of serve that answers GET", () => {
  const paths = ["/", "/healthz", "/readyz/", "/api/schema/", "/.well-known/jwks.json", "/api/auth/csrf/"];

  it("answers HEAD with the same status and no body", async () => {
    const { url, metricsUrl = "" } = await start({ metricsPort: 0 });
    for (const resource of [...paths.map((path) => url + path), metricsUrl ?? ""]) {
      const response = await fetch(resource, { method: "HEAD" });
      expect([resource, response.status, await response.text()]).toEqual([resource, 200, ""]);
    }
  });

  it("answers HTTP/1.0 without Host, as HAProxy's health checks send it, and refuses two of them", async () => {
    const { url } = await start();
    const send = (request: string) => {
      const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(request));
      return text(socket);
    };
    for (const path of paths) {
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        expect(await send(`${method} ${path} HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 20[04] /);
      }
      const hosts = "Host: a\r\nHost: b\r\nConnection: close\r\n\r\n";
      expect(await send(`GET ${path} HTTP/1.1\r\n${hosts}`)).toMatch(/^HTTP\/1\.1 400 /);
    }
  });
});

describe("the health checks of serve", () => {
  it("are in the OpenAPI document", async () => {
    const { url } = await start();
    const { paths } = (await (await fetch(`${url}/api/schema/`)).json()) as { paths: Record<string, { get: object }> };
    for (const path of ["/healthz", "/readyz"]) {
      expect(paths[path]?.get).toMatchObject({ tags: ["tokenpair serve"], responses: { 200: {} } });
      expect((await fetch(url + path)).status).toBe(200);
    }
  });

  it.each(["/healthz", "/healthz/", "/readyz", "/readyz/"])(
    "answer %s with 200 if the server is ready",
    async (path) => {
      const { url } = await start();
      const response = await fetch(url + path);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ status: "ok" });
      expect(response.headers.get("Cache-Control")).toBe("no-store");
    },
  );

  it("answer /readyz with 503 and the reason if the store does not answer, but /healthz with 200", async () => {
    const health = createHealth({ health: async () => ({ ok: false, reason: "the store does not answer" }) });
    const ready = await health.fetch(new Request("http://localhost/readyz"));
    expect(ready.status).toBe(503);
    expect(ready.headers.get("Retry-After")).toBe("1");
    expect(await ready.json()).toEqual({ detail: "Not ready: the store does not answer.", code: "unavailable" });
    expect((await health.fetch(new Request("http://localhost/healthz"))).status).toBe(200);
  });

  it('answer /readyz with 200 and "degraded" if only a shared database can\'t be written to', async () => {
    const health = createHealth({ health: async () => ({ ok: true, degraded: "the store can't be written to" }) });
    const ready = await health.fetch(new Request("http://localhost/readyz"));
    expect([ready.status, await ready.json()]).toEqual([
      200,
      { status: "degraded", detail: "The store can't be written to." },
    ]);
  });

  it("answer /readyz with 503 and log the reason if the database's file is deleted under the server", async () => {
    const { url, directory, lines, metricsUrl } = await start({ metricsPort: 0 });
    const file = join(directory, "data/tokenpair.db");
    const status = async () => (await fetch(`${url}/readyz`)).status;
    const messages = () => lines.map((line) => JSON.parse(line) as { msg: string; reason?: string });
    expect(await status()).toBe(200);
    renameSync(file, `${file}.moved`);
    expect(await status()).toBe(503);
    await expect.poll(messages).toContainEqual(
      expect.objectContaining({
        msg: "store_unwritable",
        level: "error",
        reason: expect.stringContaining("the database's file was deleted or replaced: restart the server"),
      }),
    );
    const metrics = async () => (await fetch(metricsUrl ?? "")).text();
    expect(await metrics()).toContain("tokenpair_store_unwritable 1");
    expect((await post(`${url}/api/token/`, { username: "x", password: "x" })).status).toBe(503);
    expect(messages()).toContainEqual(
      expect.objectContaining({ msg: "a request failed", reason: expect.stringContaining("deleted or replaced") }),
    );
    renameSync(`${file}.moved`, file);
    await expect.poll(status).toBe(200);
    expect(messages().map(({ msg }) => msg)).toContain("store_recovered");
    expect(await metrics()).toContain("tokenpair_store_unwritable 0");
  });

  it("answer 405 to POST", async () => {
    const { url } = await start();
    const response = await fetch(`${url}/healthz`, { method: "POST" });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
    expect((await fetch(`${url}/healthz`, { method: "HEAD" })).status).toBe(200);
  });
});
