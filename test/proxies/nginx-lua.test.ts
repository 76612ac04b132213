import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";
import { type Pair, post, toPair } from "../support/wire.ts";
import { type Application, startApplication } from "./application.ts";
import { createOldBrowser, send } from "./https.ts";
import { findVersion, hasLua, nginxWithLua, startProxy } from "./proxies.ts";

const alice = { username: "alice", password: "correct horse battery staple" };
const deadline = { timeout: 60_000 };
const identity = ["x-user-id", "x-session-id", "x-token-id", "x-user-epoch", "x-token-expires"];
const forged = { ...Object.fromEntries(identity.map((name) => [name, "666"])), X_User_Id: "666" };

const canRun = hasLongTests && findVersion(nginxWithLua) !== null && hasLua();
if (hasLongTests && !canRun) console.log("proxies: nginx with Lua: skipped, because it is not installed");
const report = (what: string) => console.log(`proxies: nginx with Lua: ${what}`);

describe.skipIf(!canRun)("nginx as examples/nginx-lua configures it", () => {
  let nodes: Nodes;
  let app: Application;
  let server: ServerProcess;
  let userId: string;
  /** Starts nginx with a `max_staleness`, and waits until it is ready. @returns its port. */
  let start: (maxStaleness: number) => Promise<number>;
  let port: number;
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const identified = { issuer: "https://id.localhost", audience: "api" };
    [nodes, app] = await Promise.all([
      openNodes({
        database: "PostgreSQL",
        servers: 0,
        keyEncryptionKey: randomBytes(32).toString("base64url"),
        env: {
          TOKENPAIR_TRUSTED_PROXIES: "127.0.0.1",
          TOKENPAIR_ISSUER: identified.issuer,
          TOKENPAIR_AUDIENCE: identified.audience,
        },
        own: identified,
      }),
      startApplication(),
    ]);
    server = await nodes.start();
    userId = await nodes.addUser(alice.username, alice.password);
    const { credential } = JSON.parse(await nodes.run("services", "create", "nginx", "--scope", "feed", "--json"));
    start = async (maxStaleness) => {
      const running = await startProxy(
        nginxWithLua,
        "",
        { nodes: [server.port], app: app.port, env: { TOKENPAIR_FEED_CREDENTIAL: credential } },
        (configuration) =>
          configuration.replace("credential = os.getenv", `max_staleness = ${maxStaleness}, credential = os.getenv`),
      );
      stops.push(running.stop);
      const { access } = await logIn();
      const headers = { Authorization: `Bearer ${access}` };
      const isReady = async () => (await get("/", headers, running.port)).status === 200;
      await waitUntil("nginx has read the keys and the feed", isReady).catch((error: Error) => {
        throw new Error(`${error.message}: ${running.log()}`);
      });
      return running.port;
    };
    // A pause of a busy machine must not make the revocations stale.
    port = await start(20);
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
    await app?.close();
    await nodes?.close();
  });

  const logIn = async () => toPair(await post(`${server.url}/api/token/`, alice));

  const toKid = ({ access }: Pair): string =>
    JSON.parse(Buffer.from(access.split(".")[0] ?? "", "base64url").toString()).kid;

  const get = (path: string, headers: Record<string, string>, at = port) =>
    send(at, "GET", path, { headers: new Headers(headers) });

  async function openBrowser(): Promise<ReturnType<typeof createOldBrowser>> {
    const browser = createOldBrowser(port);
    await browser.get("/api/auth/csrf/");
    expect((await browser.post("/api/auth/login/", alice)).status).toBe(200);
    return browser;
  }

  it("tells the application who sent a request, and never what a client has forged", async () => {
    const { access } = await logIn();
    const before = app.received.length;
    expect((await get("/orders?a=b", { ...forged, Authorization: `Bearer ${access}` })).status).toBe(200);
    const { method, url, headers } = app.received.at(-1) ?? {};
    expect([method, url, headers?.["x-user-id"]]).toEqual(["GET", "/orders?a=b", userId]);
    expect([...identity, "x_user_id"].map((name) => headers?.[name])).not.toContain("666");
    const [head, payload, signature = ""] = access.split(".");
    const other = signature.startsWith("A") ? "B" : "A";
    for (const authorization of [
      "",
      "Bearer x",
      `Bearer ${head}.${payload}.${other}${signature.slice(1)}`,
      `Bearer ${Buffer.from('{"alg":"none","kid":"x"}').toString("base64url")}.${payload}.`,
      `Bearer ${access} ${access}`,
    ]) {
      const refused = await get("/orders", {
        ...forged,
        ...(authorization === "" ? {} : { Authorization: authorization }),
      });
      expect([authorization, refused.status]).toEqual([authorization, 401]);
      expect(await refused.json()).toHaveProperty("code");
    }
    expect(app.received.length).toBe(before + 1);
    report("the user's id, and no forged one");
  });

  it("honours a logout within milliseconds", async () => {
    const times: number[] = [];
    for (let n = 0; n < 20; n++) {
      const { access, refresh } = await logIn();
      const headers = { Authorization: `Bearer ${access}` };
      expect((await get("/orders", headers)).status).toBe(200);
      expect((await post(`${server.url}/api/token/blacklist/`, { refresh })).status).toBe(200);
      const startedAt = performance.now();
      await expect.poll(async () => (await get("/orders", headers)).status, { ...deadline, interval: 1 }).toBe(401);
      times.push(performance.now() - startedAt);
    }
    times.sort((a, b) => a - b);
    report(
      `a logout was honoured after ${times[10]?.toFixed(0)} ms (median), ${times[19]?.toFixed(0)} ms (longest of 20)`,
    );
  });

  it("honours a user who was disabled, and 'log out the others' with its exception", async () => {
    const [first, second] = [await openBrowser(), await openBrowser()];
    expect((await second.post("/api/auth/logout/", { scope: "others" })).status).toBe(200);
    await expect.poll(async () => (await first.get("/orders")).status, deadline).toBe(401);
    expect((await second.get("/orders")).status).toBe(200);
    await nodes.run("users", "disable", alice.username);
    await expect.poll(async () => (await second.get("/orders")).status, deadline).toBe(401);
    await nodes.run("users", "enable", alice.username);
  });

  it("refuses a POST by cookie without the CSRF token or from another site, and forwards one with it", async () => {
    const browser = await openBrowser();
    const before = app.received.length;
    for (const headers of [
      { "X-CSRFToken": "" },
      { "X-CSRFToken": "wrong" },
      { Origin: "https://evil.example" },
      { "X-CSRFToken": "", "X-Forwarded-Method": "GET", "X-HTTP-Method-Override": "GET" },
    ]) {
      const response = await browser.post("/orders", { n: 1 }, headers);
      expect([response.status, await response.json()]).toMatchObject([403, { code: "csrf_failed" }]);
    }
    expect(app.received.length).toBe(before);
    expect((await browser.post("/orders", { text: "x".repeat(100_000) })).status).toBe(200);
    expect(app.received.at(-1)).toMatchObject({ method: "POST", headers: { "x-user-id": userId } });
    const cookie = `__Host-Http-access=${browser.cookie("__Host-Http-access")}`;
    const upgrade = { Cookie: cookie, "Sec-WebSocket-Version": "13" };
    expect((await get("/live", { ...upgrade, Origin: "https://evil.example" })).status).toBe(403);
    expect((await get("/live", { ...upgrade, Origin: `https://localhost:${port}` })).status).toBe(200);
    expect((await get("/orders", { Cookie: `${cookie}; ${cookie}` })).status).toBe(403);
    report("a POST by cookie without the CSRF token was refused");
  });

  it("follows the keys: a token of a new key is accepted, one of a retired key refused", async () => {
    const old = await logIn();
    await nodes.run("keys", "rotate", "--now");
    const statusOf = async ({ access }: Pair) => (await get("/orders", { Authorization: `Bearer ${access}` })).status;
    const kid = toKid(old);
    const logins: Pair[] = [];
    const logInAgain = async () => {
      logins.push(await logIn());
      return toKid(logins.at(-1) ?? old);
    };
    await expect.poll(logInAgain, deadline).not.toBe(kid);
    const fresh = logins.at(-1) ?? old;
    await expect.poll(() => statusOf(fresh), deadline).toBe(200);
    expect(await statusOf(old)).toBe(200);
    await nodes.run("keys", "retire", kid, "--now");
    await expect.poll(() => statusOf(old), deadline).toBe(401);
    expect(await statusOf(fresh)).toBe(200);
    report("a retired key was refused");
  });

  it("answers 503 while the issuer is away for longer than max_staleness, and recovers", async () => {
    const strict = await start(3);
    const { access } = await logIn();
    const statusOf = async () => (await get("/orders", { Authorization: `Bearer ${access}` }, strict)).status;
    await expect.poll(statusOf, deadline).toBe(200);
    await server.kill();
    await expect.poll(statusOf, deadline).toBe(503);
    await nodes.start(server.port);
    await expect.poll(statusOf, deadline).toBe(200);
    report("503 while the issuer was away");
  });
});
