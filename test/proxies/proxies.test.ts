import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { frameType, readHeader, toFingerprint } from "../../src/revocation/readers/frame.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { post, toPair, verifyAccess } from "../support/wire.ts";
import { clientAddress, createOldBrowser, openResponse, send } from "./https.ts";
import { findVersion, proxies, type ReverseProxy, startProxy } from "./proxies.ts";

const alice = { username: "alice", password: "correct horse battery staple" };
const publicPath = "/account";
const env = {
  TOKENPAIR_TRUSTED_PROXIES: "127.0.0.1",
  TOKENPAIR_PAGE: "true",
  TOKENPAIR_ISSUER: "https://id.example",
  TOKENPAIR_AUDIENCE: "api",
};
const deadline = { timeout: 60_000 };

/** Starts a proxy that ends with the test. @returns its port. */
async function start(proxy: ReverseProxy, kind: "" | " prefix", nodes: Nodes): Promise<number> {
  const ports = nodes.servers.map(({ port }) => port);
  const running = await startProxy(proxy, kind, { nodes: ports });
  onTestFinished(running.stop);
  // A proxy that checks the nodes' health may not know it yet.
  await expect
    .poll(async () => (await send(running.port, "GET", `${kind && publicPath}/healthz`)).status, deadline)
    .toBe(200);
  return running.port;
}

/** Logs in, refreshes and logs out, with cookies. */
async function expectSession(browser: ReturnType<typeof createOldBrowser>): Promise<void> {
  await browser.get("/api/auth/csrf/");
  expect((await browser.post("/api/auth/login/", alice)).status).toBe(200);
  const first = browser.cookie("__Secure-refresh");
  expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
  expect(browser.cookie("__Secure-refresh")).not.toBe(first);
  expect((await browser.get("/api/auth/me/")).status).toBe(200);
  expect((await browser.post("/api/auth/logout/")).status).toBe(200);
  expect((await browser.get("/api/auth/me/")).status).toBe(401);
}

describe.each(proxies.map((proxy) => [proxy.name, proxy] as const))("%s", (name, proxy) => {
  const version = hasLongTests ? findVersion(proxy) : null;
  const report = (what: string) => console.log(`proxies: ${name} ${version}: ${what}`);
  if (hasLongTests && version === null)
    console.log(`proxies: ${name}: skipped, because ${proxy.program} is not installed`);

  describe.skipIf(version === null)("as docs/behind-a-proxy.md configures it", () => {
    let root: Nodes;
    let prefixed: Nodes;
    beforeAll(async () => {
      [root, prefixed] = await Promise.all([
        openNodes({ database: "SQLite", servers: 1, env }),
        openNodes({ database: "SQLite", servers: 1, env: { ...env, TOKENPAIR_PUBLIC_PATH: publicPath } }),
      ]);
      await Promise.all([root, prefixed].map((nodes) => nodes.addUser(alice.username, alice.password)));
    });
    afterAll(async () => {
      await Promise.all([root, prefixed].map((nodes) => nodes.close()));
    });

    it("forwards logins, refreshes and logouts with cookies, of a browser that sends only Origin", async () => {
      const port = await start(proxy, "", root);
      const browser = createOldBrowser(port);
      await expectSession(browser);
      await browser.get("/api/auth/csrf/");
      const foreign = await browser.post("/api/auth/login/", alice, { Origin: "https://evil.example" });
      expect(foreign.status).toBe(403);
      report("login, refresh and logout by cookie");
    });

    it("tells the client's address, whatever the client claims", async () => {
      const browser = createOldBrowser(await start(proxy, "", root));
      await browser.get("/api/auth/csrf/");
      const forged = { "X-Forwarded-For": "203.0.113.9", Forwarded: "for=203.0.113.9" };
      expect((await browser.post("/api/auth/login/", alice, forged)).status).toBe(200);
      const { sessions } = (await (await browser.get("/api/auth/sessions/")).json()) as { sessions: { ip: string }[] };
      expect(sessions[0]?.ip).toBe(clientAddress);
      report("the client's address, and not the forged one");
    });

    it("forwards a stream of the revocation feed at once", async () => {
      const port = await start(proxy, "", root);
      const { credential } = JSON.parse(await root.run("services", "create", "reader", "--scope", "feed", "--json"));
      onTestFinished(async () => void (await root.run("services", "revoke", "reader")));
      const headers = { Authorization: `Bearer ${credential}` };
      const response = await openResponse(port, "/api/auth/revocations/?stream=1", headers);
      expect([response.statusCode, response.headers["content-type"]]).toEqual([200, frameType]);
      let received = Buffer.alloc(0);
      response.on("error", () => {});
      response.on("data", (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
      });
      await expect.poll(() => readHeader(received)?.isFull, deadline).toBe(true);
      const { refresh } = toPair(await post(`${root.servers[0]?.url}/api/token/`, alice));
      const { sid } = JSON.parse(Buffer.from(refresh.split(".")[1] ?? "", "base64url").toString());
      expect((await post(`${root.servers[0]?.url}/api/token/blacklist/`, { refresh })).status).toBe(200);
      const fingerprint = Buffer.alloc(8);
      fingerprint.writeBigUInt64BE(toFingerprint("s", sid));
      await expect.poll(() => received.includes(fingerprint), deadline).toBe(true);
      response.destroy();
      report("a stream of the revocation feed");
    });

    it("keeps its connections to the server, without a failed request", async () => {
      const port = await start(proxy, "", root);
      const statuses = new Set<number>();
      for (let n = 0; n < 100; n++) {
        const body = { refresh: "not a token" };
        statuses.add((await send(port, "POST", "/api/token/refresh/", { body })).status);
      }
      expect([...statuses]).toEqual([401]);
      report("100 requests over kept connections");
    });

    it.skipIf(name !== "nginx")(
      "breaks logins with cookies without its line for Host, which shows that the proof can fail",
      async () => {
        const withoutHost = (configuration: string) => configuration.replace("proxy_set_header Host $http_host;", "");
        const running = await startProxy(proxy, "", { nodes: [root.servers[0]?.port ?? 0] }, withoutHost);
        onTestFinished(running.stop);
        const browser = createOldBrowser(running.port);
        await browser.get("/api/auth/csrf/");
        expect((await browser.post("/api/auth/login/", alice)).status).toBe(403);
      },
    );

    it("removes the prefix: the page loads, and logins, refreshes and logouts work", async () => {
      const port = await start(proxy, " prefix", prefixed);
      const page = await send(port, "GET", `${publicPath}/`);
      const html = await page.text();
      expect(page.status).toBe(200);
      for (const [, path = ""] of html.matchAll(/(?:src|href)="([^"#][^"]*)"/g)) {
        expect([path, (await send(port, "GET", path)).status]).toEqual([path, 200]);
      }
      await expectSession(createOldBrowser(port, publicPath));
      expect(prefixed.servers[0]?.log()).not.toContain("publicPath");
      report("page, login, refresh and logout below a prefix");
    });
  });
});

const haproxy = proxies.find(({ name }) => name === "haproxy") as ReverseProxy;

describe.skipIf(!hasLongTests || findVersion(haproxy) === null)("two nodes over PostgreSQL behind HAProxy", () => {
  it("share sessions: a logout on one is a refusal on the other, and a stopped node gets no more requests", async () => {
    const nodes = await openNodes({ database: "PostgreSQL", servers: 2, env: { ...env, TOKENPAIR_PAGE: "false" } });
    onTestFinished(() => nodes.close());
    await nodes.addUser(alice.username, alice.password);
    const port = await start(haproxy, "", nodes);
    const [first, second] = nodes.servers;
    if (first === undefined || second === undefined) throw new Error("two nodes were started");

    // HAProxy takes turns, so the login, the refresh and the logout of one user meet both nodes.
    const browser = createOldBrowser(port);
    await expectSession(browser);
    expect(
      await Promise.all(
        nodes.servers.map((node) => post(`${node.url}/api/token/`, alice).then(({ status }) => status)),
      ),
    ).toEqual([200, 200]);

    const { body } = await post(`${first.url}/api/token/`, alice);
    const { access = "", refresh = "" } = body;
    expect(await verifyAccess(second.url, access)).toBe(200);
    expect((await post(`${first.url}/api/token/blacklist/`, { refresh })).status).toBe(200);
    await expect.poll(() => verifyAccess(second.url, access), deadline).toBe(401);
    expect((await post(`${second.url}/api/token/refresh/`, { refresh })).status).toBe(401);

    await first.stop();
    const attempt = async () => (await send(port, "POST", "/api/token/", { body: alice })).status;
    await expect
      .poll(async () => [await attempt(), await attempt(), await attempt(), await attempt()], deadline)
      .toEqual([200, 200, 200, 200]);
    console.log("proxies: haproxy: two nodes over PostgreSQL: a logout on one was a refusal on the other");
  });
});
