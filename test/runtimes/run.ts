/**
 * Runs tokenpair/verifier, as it is built, in Node, Deno, Bun and workerd against a real server: it accepts and refuses tokens, honours
 * a logout, and recovers from a server that is away at the start. Installs the runtimes from the lock file beside it.
 *
 * Usage: node test/runtimes/run.ts [--own], after `npm run build`. With `--own`, only in Node, and it installs nothing.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { systemClock } from "../../src/core/runtime/clock.ts";
import type { Algorithm } from "../../src/core/settings/session-settings.ts";
import { defaultSettings } from "../../src/core/settings/settings.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { exportKeyMaterial, generateKeyMaterial, toSigningKey } from "../../src/crypto/keys/key-material.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import type { NewAccessToken } from "../../src/crypto/tokens/minter.ts";
import { createTokens } from "../../src/crypto/tokens/tokens.ts";
import { childEnvironment } from "../support/child-environment.ts";
import { currentMain, startServer } from "../support/server-process.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { type RuntimeUnderTest, runtimes, type Service, type ServiceSettings, stopAll } from "./runtimes.ts";

const isOwn = process.argv.includes("--own");
const issuer = "https://id.example";
const audience = "api";
const credentials = { username: "alice", password: "correct horse battery staple" };

/** Milliseconds in which something must happen that takes far less. */
const patience = 60_000;

if (!isOwn) {
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** A running server that signs with a key of this algorithm. */
async function openIssuer(algorithm: Algorithm) {
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const material = generateKeyMaterial(algorithm);
  const env = {
    TOKENPAIR_DATABASE_URL: `sqlite:${join(cwd, "tokenpair.db")}`,
    TOKENPAIR_ALGORITHM: algorithm,
    TOKENPAIR_SIGNING_KEY: exportKeyMaterial(material).toString(),
    TOKENPAIR_SECRET: "a secret of this run alone, of more than 32 bytes",
    TOKENPAIR_ISSUER: issuer,
    TOKENPAIR_AUDIENCE: audience,
    TOKENPAIR_PAGE: "false",
    TOKENPAIR_PASSWORD_MEMORY_COST: "64",
    TOKENPAIR_PASSWORD_TIME_COST: "1",
  };

  /** Runs a command with a text as its input. @returns what it prints. */
  async function command(input: string, ...args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [currentMain, ...args], {
      cwd,
      env: { ...childEnvironment, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.end(input);
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
    if (code !== 0) throw new Error(`tokenpair ${args.join(" ")} failed`);
    return output;
  }

  await command("", "migrate");
  await command(credentials.password, "users", "create", credentials.username, "--password-stdin");
  const [credential = ""] = /tps_\S{43}/.exec(await command("", "services", "create", "api", "--scope", "feed")) ?? [];
  const server = await startServer({ cwd, env });
  process.on("exit", () => server.process.kill("SIGKILL"));
  return {
    credential,
    port: server.port,
    async post(path: string, body: object): Promise<{ readonly access: string; readonly refresh: string }> {
      const response = await fetch(server.url + path, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
      return response.json();
    },
    /** A token of the server's own key, with claims that it would not give. */
    mint(changes: Partial<NewAccessToken>, settings: { readonly audience?: string } = {}): string {
      const refresh = createHmacKey({ algorithm: "HS256", secret: "s".repeat(32), kid: "r1", use: "refresh" });
      const keys = createKeySet({ access: toSigningKey(material, { use: "access" }), refresh });
      const now = systemClock.now();
      return createTokens({
        keys: () => keys,
        clock: systemClock,
        settings: { ...defaultSettings, issuer, audience, ...settings },
      }).mintAccess({
        ...{ userId: "1", sessionId: "s1", userEpoch: 1, globalEpoch: 0, claims: {} },
        ...{ issuedAt: now - 60, expiresAt: now + 600 },
        ...changes,
      });
    },
    async close(): Promise<void> {
      await server.stop();
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

type Issuer = Awaited<ReturnType<typeof openIssuer>>;

async function ask({ url }: Service, token?: string): Promise<readonly [number, string]> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers });
  return [response.status, await response.text()];
}

/** Asks until the status is 200, or 401 after a logout. Meanwhile, 503 is right, but no other refusal. @returns milliseconds. */
async function waitForStatus(service: Service, token: string, status: 200 | 401): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const [found, body] = await ask(service, token);
    const ms = performance.now() - startedAt;
    if (found === status) return ms;
    if (found !== 503 && found !== 200) throw new Error(`${found} instead of ${status}: ${body}`);
    if (ms > patience) throw new Error(`still ${found} after ${patience} ms: ${body}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${String(found)} instead of ${String(expected)}`);
}

/** Does everything with one service. @returns milliseconds until it knew of a logout. */
async function prove(service: Service, wire: TcpProxy, { post, mint }: Issuer): Promise<number> {
  const pair = await post("/api/token/", credentials);
  // The server can't be reached yet: never a 401, which a client would take for a logout.
  for (let i = 0; i < 3; i += 1) expectEqual("without the issuer", (await ask(service, pair.access))[0], 503);
  expectEqual("a text that is no token", (await ask(service, "garbage"))[0], 401);
  wire.mend();
  await waitForStatus(service, pair.access, 200);
  expectEqual("the user", (await ask(service, pair.access))[1], "1");
  expectEqual("no token", (await ask(service))[0], 401);
  expectEqual("the server's own key", (await ask(service, mint({})))[0], 200);

  const now = systemClock.now();
  const refused: Readonly<Record<string, readonly [string, string]>> = {
    forged: [forge(pair.access), "Token is invalid"],
    expired: [mint({ issuedAt: now - 600, expiresAt: now - 31 }), "Token is expired"],
    "for another audience": [mint({}, { audience: "other" }), "Token is invalid"],
    "a refresh token": [pair.refresh, "Token is invalid"],
  };
  for (const [what, [token, message]] of Object.entries(refused)) {
    const [status, body] = await ask(service, token);
    expectEqual(what, status, 401);
    expectEqual(what, body.includes(message), true);
  }

  await post("/api/token/blacklist/", { refresh: pair.refresh });
  return waitForStatus(service, pair.access, 401);
}

/** Another user's token under the same signature. */
function forge(token: string): string {
  const [header, payload = "", signature] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), user_id: "2" };
  return [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
}

function toSettings(from: Issuer, port: number, mode: ServiceSettings["REVOCATIONS"]): ServiceSettings {
  const urls = { ISSUER: issuer, ISSUER_URL: `http://127.0.0.1:${port}` };
  return { ...urls, AUDIENCE: audience, CREDENTIAL: from.credential, REVOCATIONS: mode };
}

async function proveRuntime({ name, modes, version, start }: RuntimeUnderTest, from: Issuer): Promise<void> {
  const delays: string[] = [];
  for (const mode of modes) {
    const wire = await startTcpProxy(from.port);
    wire.cut();
    const service = await start(toSettings(from, wire.port, mode));
    const delay = await prove(service, wire, from).finally(() => wire.close());
    expectEqual(`${name} ends when everything is closed`, await service.stop(), true);
    delays.push(`${mode} ${Math.round(delay)} ms`);
    console.log(`  ${name}: ${mode}: done`);
  }
  console.log(`runtimes: ${name} ${await version()}: a logout is honoured after: ${delays.join(", ")}`);
}

/** Another runtime has other cryptography. */
async function proveAlgorithm(algorithm: Algorithm, chosen: readonly RuntimeUnderTest[]): Promise<void> {
  const from = await openIssuer(algorithm);
  const { access } = await from.post("/api/token/", credentials);
  for (const { name, start } of chosen) {
    const service = await start(toSettings(from, from.port, "pull"));
    // On a busy machine, the first read can take longer than a request waits for it.
    await waitForStatus(service, access, 200);
    expectEqual(`forged, ${algorithm} in ${name}`, await ask(service, forge(access)).then(([status]) => status), 401);
    await service.stop();
  }
  await from.close();
  console.log(`runtimes: ${algorithm}: ${chosen.map(({ name }) => name).join(", ")}`);
}

// Services and servers that are still running when something fails must not keep this process alive.
process.on("uncaughtException", (error) => {
  console.error(error);
  stopAll();
  process.exit(1);
});

const chosen = runtimes.filter(({ name }) => !isOwn || name === "node");
const first = await openIssuer("ES256");
for (const runtime of chosen) await proveRuntime(runtime, first);
await first.close();
for (const algorithm of ["EdDSA", "RS256", "PS256", "ES384"] as const) await proveAlgorithm(algorithm, chosen);
