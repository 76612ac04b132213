import { execFileSync, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Nodes, openNodes } from "../../support/nodes.ts";
import { type SidecarProcess, startSidecarProcess } from "../../support/sidecar-process.ts";
import { createFolder } from "../folder.ts";

const issuer = "http://localhost:8000";
const settings = { issuer, audience: "api" };
const relayCredential = `tps_${"r".repeat(43)}`;
const password = "correct horse battery staple";
const phpFolder = resolve(import.meta.dirname, "../../../examples/verifier/php");
const hasPhp = spawnSync("php", ["-r", "exit(extension_loaded('sodium') ? 0 : 1);"]).status === 0;

let nodes: Nodes;
let issuerPort: number;
let credential: string;
const running: SidecarProcess[] = [];

beforeAll(async () => {
  nodes = await openNodes({
    database: "SQLite",
    servers: 1,
    env: { TOKENPAIR_ISSUER: issuer, TOKENPAIR_AUDIENCE: "api", TOKENPAIR_CONFIRM_TIMEOUT: "60" },
    own: settings,
    keyEncryptionKey: randomBytes(32).toString("base64url"),
  });
  issuerPort = nodes.servers[0]?.port ?? 0;
  await nodes.addUser("alice", password);
  const printed = await nodes.run("services", "create", "sidecar", "--scope", "feed");
  credential = /tps_\S+/.exec(printed)?.[0] ?? "";
});

afterAll(async () => {
  for (const sidecar of running) await sidecar.stop();
  await nodes?.close();
});

/** Starts a sidecar that reads from the issuer, or from another sidecar. */
async function start(
  args: readonly string[] = [],
  { url = `http://127.0.0.1:${issuerPort}`, key = credential, env = {} as Readonly<Record<string, string>> } = {},
) {
  const cwd = createFolder();
  const sidecar = await startSidecarProcess({
    cwd,
    args: ["--issuer", issuer, "--url", url, "--audience", "api", ...args],
    env: { TOKENPAIR_FEED_CREDENTIAL: key, ...env },
  });
  running.push(sidecar);
  return Object.assign(sidecar, { cwd });
}

async function logIn(): Promise<{ readonly access: string; readonly refresh: string }> {
  const response = await fetch(`http://127.0.0.1:${issuerPort}/api/token/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username: "alice", password }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { access: string; refresh: string };
}

const logOut = async (refresh: string) =>
  fetch(`http://127.0.0.1:${issuerPort}/api/token/blacklist/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ refresh }),
  });

async function check({ url }: Pick<SidecarProcess, "url">, access: string): Promise<number> {
  return (await fetch(`${url}/api/auth/check/`, { headers: { Authorization: `Bearer ${access}` } })).status;
}

const toStatus = async ({ url }: Pick<SidecarProcess, "url">, path = "/readyz") =>
  (await fetch(`${url}${path}`)).status;

/** Whether the file of a sidecar revokes the session or the user of a token. */
function isRevokedIn(file: string, access: string): boolean {
  const claims = JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString());
  const bytes = readFileSync(file);
  const find = (text: string) => {
    const fingerprint = createHash("sha256").update(text).digest().subarray(0, 8);
    for (let at = 64; at < bytes.length; at += 16) {
      if (bytes.subarray(at, at + 8).equals(fingerprint)) return bytes.readUInt32BE(at + 12);
    }
    return 0;
  };
  return find(`s:${claims.sid}`) > 0 || find(`u:${claims.user_id}`) > claims.ue;
}

/** What the PHP example answers, with the file of a sidecar. */
function askPhp(file: string, access: string): string {
  return execFileSync("php", [join(phpFolder, "index.php")], {
    encoding: "utf8",
    env: {
      ...{ PATH: process.env["PATH"], HTTP_AUTHORIZATION: `Bearer ${access}`, TOKENPAIR_FEED_FILE: file },
      ...{ TOKENPAIR_ISSUER: issuer, TOKENPAIR_AUDIENCE: "api" },
    },
  });
}

describe("tokenpair verifier", () => {
  it("is part of a confirmed revocation, with its file and the sidecar behind it", async () => {
    const upper = await start([], { env: { TOKENPAIR_RELAY_CREDENTIALS: relayCredential } });
    const below = await start(["--write", "revocations"], { url: upper.url, key: relayCredential });
    await expect.poll(() => toStatus(below)).toBe(200);
    const file = join(below.cwd, "revocations");
    await expect.poll(() => statSync(file, { throwIfNoEntry: false })?.size).toBeGreaterThanOrEqual(64);
    for (let round = 0; round < 2; round += 1) {
      const { access } = await logIn();
      expect(await check(below, access)).toBe(200);
      expect(isRevokedIn(file, access)).toBe(false);
      const printed = await nodes.run("sessions", "revoke", "--user", "alice", "--yes", "--json");
      expect(JSON.parse(printed)).toMatchObject({ confirmed: "acks" });
      expect(isRevokedIn(file, access)).toBe(true);
      expect(await Promise.all([upper, below].map((sidecar) => check(sidecar, access)))).toEqual([401, 401]);
    }
    for (const sidecar of [below, upper]) await sidecar.stop();
  });

  it("accepts a token, refuses it after the logout, also behind another sidecar and from its file, and exits with 0", async (context) => {
    const upper = await start(["--metrics", "127.0.0.1:0"], { env: { TOKENPAIR_RELAY_CREDENTIALS: relayCredential } });
    const below = await start(["--write", "revocations"], { url: upper.url, key: relayCredential });
    const file = join(below.cwd, "revocations");
    for (const sidecar of [upper, below]) {
      expect(await toStatus(sidecar, "/healthz")).toBe(200);
      await expect.poll(() => toStatus(sidecar)).toBe(200);
    }
    const { access, refresh } = await logIn();
    expect(await Promise.all([upper, below].map((sidecar) => check(sidecar, access)))).toEqual([200, 200]);
    await expect.poll(() => statSync(file, { throwIfNoEntry: false })?.size).toBeGreaterThanOrEqual(64);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    if (hasPhp) await expect.poll(() => askPhp(file, access)).toBe('{"user":"1"}');

    expect((await logOut(refresh)).status).toBe(200);
    await expect.poll(() => check(upper, access)).toBe(401);
    await expect.poll(() => check(below, access)).toBe(401);
    await expect.poll(() => readFileSync(file).readUInt32BE(8)).toBeGreaterThanOrEqual(1);
    if (hasPhp) await expect.poll(() => askPhp(file, access)).toContain("Token is blacklisted");

    const metrics = await (await fetch(upper.metricsUrl ?? "")).text();
    expect(metrics).toMatch(/^tokenpair_verifier_ready 1$/m);
    expect(metrics).toMatch(/^tokenpair_feed_streams 1$/m);
    expect(metrics).toMatch(
      /^tokenpair_http_request_duration_seconds_count\{route="auth\/check",status="401"\} [1-9]/m,
    );
    expect(upper.log()).toContain("The revocation feed is connected.");
    for (const sidecar of [below, upper]) expect(await sidecar.stop()).toEqual([0, null]);
    if (!hasPhp) context.skip("this machine lacks php-cli; the rest has passed");
  });

  it("starts without the issuer, answers 503 when it has gone, and recovers by itself", async () => {
    const server = nodes.servers[0];
    const { access } = await logIn();
    const sidecar = await start(["--max-staleness", "2"]);
    await expect.poll(() => check(sidecar, access)).toBe(200);
    await server?.kill();
    await expect.poll(() => check(sidecar, access)).toBe(503);
    const refused = await fetch(`${sidecar.url}/api/auth/check/`, { headers: { Authorization: `Bearer ${access}` } });
    expect(refused.headers.get("Retry-After")).toBe("1");
    expect(refused.headers.get("X-User-Id")).toBe("");
    expect(await toStatus(sidecar)).toBe(503);

    const early = await start(["--write", "revocations"]);
    expect(await check(early, access)).toBe(503);
    expect(await toStatus(early)).toBe(503);
    expect(await toStatus(early, "/healthz")).toBe(200);
    await sleep(300);
    expect(statSync(join(early.cwd, "revocations"), { throwIfNoEntry: false })).toBeUndefined();

    await nodes.start(issuerPort);
    for (const one of [sidecar, early]) {
      await expect.poll(() => check(one, access)).toBe(200);
      await expect.poll(() => toStatus(one)).toBe(200);
    }
    expect(sidecar.log()).toContain("Requests are answered with 503.");
    expect(sidecar.log()).toContain("The revocations are up to date again.");
    expect(sidecar.log() + early.log()).not.toContain(credential);
    for (const one of [sidecar, early]) await one.stop();
  });
});
