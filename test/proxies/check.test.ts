import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { post, toPair } from "../support/wire.ts";
import { type Application, startApplication } from "./application.ts";
import { createOldBrowser, send } from "./https.ts";
import { findVersion, proxies, startProxy } from "./proxies.ts";

const alice = { username: "alice", password: "correct horse battery staple" };
const deadline = { timeout: 60_000 };
const identity = ["x-user-id", "x-session-id", "x-token-id", "x-user-epoch", "x-token-expires"];

/** What a client may send to be taken for another user, or for a request that needs no CSRF token. */
const forged = {
  ...Object.fromEntries(identity.map((name) => [name, "666"])),
  X_User_Id: "666",
  "X-User_Id": "666",
  "X-User.Id": "666",
  "X-Forwarded-Method": "GET",
  "X-Original-Method": "GET",
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Uri": "/",
  "X-Original-URI": "/",
};

const authenticating = proxies.filter(({ name }) => name !== "apache");

describe.each(authenticating.map((proxy) => [proxy.name, proxy] as const))(
  "%s, as docs/proxies-auth.md configures it to authenticate",
  (name, proxy) => {
    const version = hasLongTests ? findVersion(proxy) : null;
    if (hasLongTests && version === null)
      console.log(`proxies: ${name}: the check is skipped, because ${proxy.program} is not installed`);
    const report = (what: string) => console.log(`proxies: ${name} ${version}: ${what}`);

    describe.skipIf(version === null)("in front of an application", () => {
      let nodes: Nodes;
      let app: Application;
      let userId: string;
      let port: number;
      let stop: () => Promise<void>;
      beforeAll(async () => {
        const env = { TOKENPAIR_TRUSTED_PROXIES: "127.0.0.1" };
        [nodes, app] = await Promise.all([openNodes({ database: "PostgreSQL", servers: 1, env }), startApplication()]);
        userId = await nodes.addUser(alice.username, alice.password);
        ({ port, stop } = await start());
      });
      afterAll(async () => {
        await stop?.();
        await app?.close();
        await nodes?.close();
      });

      const start = (change?: (configuration: string) => string, node = nodes.servers[0]?.port ?? 0) =>
        startProxy(proxy, " check", { nodes: [node], app: app.port }, change);

      const logIn = async () => toPair(await post(`${nodes.servers[0]?.url}/api/token/`, alice));

      const get = (path: string, headers: Record<string, string>, at = port) =>
        send(at, "GET", path, { headers: new Headers(headers) });

      async function openBrowser(at = port): Promise<ReturnType<typeof createOldBrowser>> {
        const browser = createOldBrowser(at);
        await browser.get("/api/auth/csrf/");
        expect((await browser.post("/api/auth/login/", alice)).status).toBe(200);
        return browser;
      }

      /** Returns the requests that reached the application during `act`. */
      async function receivedBy(act: () => Promise<unknown>): Promise<Application["received"]> {
        const before = app.received.length;
        await act();
        return app.received.slice(before);
      }

      it("tells the application who sent a request, and never what a client has forged", async () => {
        const { access } = await logIn();
        const [request] = await receivedBy(() => get("/orders?a=b", { ...forged, Authorization: `Bearer ${access}` }));
        expect(request).toMatchObject({ method: "GET", url: "/orders?a=b", headers: { "x-user-id": userId } });
        expect(identity.map((header) => request?.headers[header])).not.toContain("666");
        expect(Object.keys(request?.headers ?? {}).filter((field) => /[^a-z0-9-]/.test(field))).toEqual([]);
        const attempts = [
          forged,
          { ...forged, Authorization: "Bearer x" },
          { ...forged, Cookie: "__Host-Http-access=x" },
        ];
        const received = await receivedBy(async () => {
          for (const headers of attempts) expect((await get("/orders", headers)).status).toBe(401);
        });
        expect(received).toEqual([]);
        report("the user's id, and no forged one");
      });

      it("lets nobody through whose own query has an option", async () => {
        const received = await receivedBy(async () => {
          for (const path of ["/?optional=1", "/orders?optional=1&forms=1", "/orders?%6fptional=1"]) {
            expect([path, (await get(path, {})).status]).toEqual([path, 401]);
          }
        });
        expect(received).toEqual([]);
      });

      it("lets requests without a token through as nobody with optional=1, whatever they claim", async () => {
        const optional = await start((configuration) =>
          configuration.replace(/\/api\/auth\/check\/\??/, "/api/auth/check/?optional=1"),
        );
        onTestFinished(optional.stop);
        const [request] = await receivedBy(async () => {
          expect((await get("/orders", forged, optional.port)).status).toBe(200);
        });
        expect(identity.filter((header) => (request?.headers[header] ?? "") !== "")).toEqual([]);
        expect((await get("/orders", { Authorization: "Bearer x" }, optional.port)).status).toBe(401);
      });

      it("honours a logout at the next request", async () => {
        const { access, refresh } = await logIn();
        const headers = { Authorization: `Bearer ${access}` };
        expect((await get("/orders", headers)).status).toBe(200);
        expect((await post(`${nodes.servers[0]?.url}/api/token/blacklist/`, { refresh })).status).toBe(200);
        const refused = await get("/orders", headers);
        expect(refused.status).toBe(401);
        expect(refused.headers.get("WWW-Authenticate")).toContain('error="invalid_token"');

        const browser = await openBrowser();
        expect((await browser.get("/orders")).status).toBe(200);
        const cookie = `__Host-Http-access=${browser.cookie("__Host-Http-access")}`;
        expect((await browser.post("/api/auth/logout/")).status).toBe(200);
        expect((await get("/orders", { Cookie: cookie })).status).toBe(401);
        report("a logout was honoured at the next request");
      });

      it("refuses a POST by cookie without the CSRF token or from another site, and forwards one with it", async () => {
        const browser = await openBrowser();
        const received = await receivedBy(async () => {
          for (const headers of [
            { "X-CSRFToken": "" },
            { "X-CSRFToken": "", ...forged },
            { "X-CSRFToken": "wrong" },
            { Origin: "https://evil.example" },
            { Origin: "https://evil.example", ...forged },
          ]) {
            const response = await browser.post("/orders", { n: 1 }, headers);
            expect([response.status, await response.json()]).toMatchObject([403, { code: "csrf_failed" }]);
          }
        });
        expect(received).toEqual([]);
        const [request] = await receivedBy(async () => {
          expect((await browser.post("/orders", { text: "x".repeat(100_000) })).status).toBe(200);
        });
        expect(request).toMatchObject({ method: "POST", headers: { "x-user-id": userId } });
        expect(request?.length).toBeGreaterThan(100_000);
        report("a POST by cookie without the CSRF token was refused");
      });

      it("refuses a WebSocket that a page of another site opens with the user's cookies", async () => {
        const browser = await openBrowser();
        const upgrade = {
          Cookie: `__Host-Http-access=${browser.cookie("__Host-Http-access")}`,
          "Sec-WebSocket-Version": "13",
        };
        expect((await get("/live", { ...upgrade, Origin: "https://evil.example" })).status).toBe(403);
        expect((await get("/live", { ...upgrade, Origin: `https://localhost:${port}` })).status).toBe(200);
      });

      it("passes an error 500 of the application on", async () => {
        const { access } = await logIn();
        expect((await get("/fail", { Authorization: `Bearer ${access}` })).status).toBe(500);
      });

      it("answers 503 with Retry-After while the server can't know, and recovers", async () => {
        const { access } = await logIn();
        const headers = { Authorization: `Bearer ${access}` };
        const strict = await nodes.start(0, { TOKENPAIR_MAX_STALENESS: "2", TOKENPAIR_ON_STALE: "refuse" });
        const through = await start(undefined, strict.port);
        onTestFinished(through.stop);
        const statusOf = async () => (await get("/orders", headers, through.port)).status;
        await expect.poll(statusOf, deadline).toBe(200);
        nodes.databaseWire?.cut();
        await expect.poll(statusOf, deadline).toBe(503);
        const response = await get("/orders", headers, through.port);
        expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "1"]);
        expect(await response.json()).toMatchObject({ code: "unavailable" });
        nodes.databaseWire?.mend();
        await expect.poll(statusOf, deadline).toBe(200);
        report("503 while the server was cut off from its database");
      });

      it.skipIf(name !== "haproxy")("refuses every request if its script fails", async () => {
        const broken = await start((configuration) => configuration.replace("http://127.0.0.1", "nonsense"));
        onTestFinished(broken.stop);
        const { access } = await logIn();
        const received = await receivedBy(async () => {
          expect((await get("/orders", { Authorization: `Bearer ${access}` }, broken.port)).status).toBe(503);
        });
        expect(received).toEqual([]);
      });

      it.skipIf(name !== "caddy")("lets no option of a client count if the ? is missing", async () => {
        const without = await start((configuration) => configuration.replace("check/?", "check/"));
        onTestFinished(without.stop);
        const received = await receivedBy(async () => {
          expect((await get("/orders?optional=1", forged, without.port)).status).toBe(401);
        });
        expect(received).toEqual([]);
      });

      it.skipIf(name !== "nginx")(
        "shows that the proof can fail: without its line, a forged method counts",
        async () => {
          const without = await start((configuration) =>
            configuration
              .replace("proxy_set_header X-Forwarded-Method $request_method;", "")
              .replace('proxy_set_header X-Original-Method "";', ""),
          );
          onTestFinished(without.stop);
          const browser = await openBrowser(without.port);
          expect((await browser.post("/orders", {}, { "X-CSRFToken": "", ...forged })).status).toBe(200);
        },
      );
    });
  },
);
