import { createRequire } from "node:module";
import { resolve } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { frameType } from "../../src/flows/feed-readers.ts";
import type { Auth, AuthOptions } from "../../src/index.ts";
import {
  createScriptAuth,
  credentials,
  type RunningApp,
  runCorsScript,
  runHttpScript,
  runOtherLoginScript,
  runStepUpScript,
} from "../adapters/http-script.ts";
import { addService } from "../support/services.ts";
import { issuerSettings, openVerifier, whenVerifiersKnow } from "../support/verifier.ts";
import { type Connection, connectGraphql, connectors, connectSocketIo, connectWebSocket } from "./nest-clients.ts";
import { isPrepared } from "./prepared.ts";

const platforms = [
  { http: "express", sockets: "ws", isAsync: false },
  { http: "express", sockets: "socket.io", isAsync: true },
  { http: "fastify", sockets: "ws", isAsync: true },
  { http: "fastify", sockets: "socket.io", isAsync: false },
] as const;

/** What `start` of the application takes besides the kind of HTTP and of sockets. */
interface Changes {
  readonly graphql?: "mercurius" | "none";
  readonly guard?: "route";
}

/** Declares the tests that the application of one major of Nest must pass: the one in the folder `name`. */
export function testNest(name: string): void {
  const folder = resolve(import.meta.dirname, name);
  const version = () => createRequire(resolve(folder, "package.json"))("@nestjs/core/package.json").version;
  const load = () => import(resolve(folder, "dist/application.js"));

  /** Starts the application of this folder, as it is built, with an `Auth` of this project's source. */
  async function open(
    platform: (typeof platforms)[number] & Changes,
    settings: Partial<AuthOptions> = {},
    toAuth = (auth: Auth): object => auth,
  ) {
    const { auth, store, close } = await createScriptAuth(settings);
    const { start } = await load();
    let closed = 0;
    const app: RunningApp = await start(toAuth(auth), platform, () => {
      closed += 1;
      return close();
    });
    let closing: Promise<void> | undefined;
    const closeOnce = () => {
      closing ??= app.close();
      return closing;
    };
    return { ...app, close: closeOnce, auth, store, countClosed: () => closed };
  }

  describe.skipIf(!isPrepared(name))("the entry tokenpair/nestjs", () => {
    it("exports what it promises", async () => {
      const entry = await import(resolve(folder, "node_modules/tokenpair/dist/adapters/nestjs/index.js"));
      const names = ["AuthGuard", "AuthSockets", "CurrentUser", "InjectAuth", "Public", "StepUp", "TokenpairModule"];
      expect(Object.keys(entry).sort()).toEqual(names);
    });
  });

  describe.skipIf(!isPrepared(name)).each(platforms)("tokenpair/nestjs over $http with $sockets", (platform) => {
    const on = `${name} over ${platform.http} with ${platform.sockets}`;
    let app: Awaited<ReturnType<typeof open>>;
    const openApp = async (settings?: Partial<AuthOptions>, changes: Changes = {}, toAuth?: (auth: Auth) => object) => {
      app = await open({ ...platform, ...changes }, settings, toAuth);
      return app;
    };
    afterEach(() => app.close());
    afterAll(() =>
      console.log(
        `frameworks: ${name}: ${version()}: HTTP, gateway and GraphQL over ${platform.http} with ${platform.sockets}`,
      ),
    );

    it(`passes the HTTP script on ${on}`, async () => {
      const { url, auth } = await openApp();
      await runHttpScript(url, auth);
    });

    it(`passes the script of other logins on ${on}`, async () => {
      const { url, auth } = await openApp();
      await runOtherLoginScript(url, auth);
    });

    it(`passes the scripts of CORS and step-up on ${on}`, async () => {
      const { url, auth } = await openApp({ trustedOrigins: ["https://app.example.com", "ionic://localhost"] });
      await runCorsScript(url);
      await runStepUpScript(url, auth);
    });

    it(`leaves an error of a handler to the application's filter on ${on}`, async () => {
      const { url, auth } = await openApp();
      const { access } = await auth.login(credentials);
      const response = await fetch(`${url}/broken`, { headers: { Authorization: `Bearer ${access}` } });
      expect([response.status, await response.text()]).toEqual([500, "handled"]);
    });

    it(`opens @Public() routes to all, and tells them who is logged in, on ${on}`, async () => {
      const { url, auth } = await openApp();
      const { access } = await auth.login(credentials);
      const read = async (path: string, token?: string) => {
        const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        const response = await fetch(url + path, { headers });
        return [response.status, (await response.text()).slice(0, 30)];
      };
      expect(await read("/whoami")).toEqual([200, "you are nobody"]);
      expect(await read("/whoami", "garbage")).toEqual([200, "you are nobody"]);
      expect(await read("/whoami", access)).toEqual([200, "you are 1"]);
      // A POST with the cookie, but without the CSRF token.
      const forged = await fetch(`${url}/whoami`, { method: "POST", headers: toHeaders(url, "cookie", access) });
      expect([forged.status, await forged.text()]).toEqual([200, "you are nobody"]);
      expect(await read("/open")).toEqual([200, "open"]);
      // @StepUp() on a route wins over @Public() on its class.
      expect((await read("/open/closed"))[0]).toBe(401);
      expect(await read("/open/closed", access)).toEqual([200, "closed for all but 1"]);
    });

    it(`answers a @Public() route with 503 if this node can't know who is logged in, on ${on}`, async () => {
      const unavailable = Response.json({ detail: "down", code: "unavailable" }, { status: 503 });
      const { url } = await openApp({}, {}, (auth) => ({
        ...auth,
        check: async () => ({ ok: false, response: unavailable.clone() }),
      }));
      const response = await fetch(`${url}/whoami`);
      expect([response.status, await response.json()]).toEqual([503, { detail: "down", code: "unavailable" }]);
    });

    it(`requires the role of a claim after the global guard on ${on}`, async () => {
      const { url, auth } = await openApp({ claims: ({ role }) => ({ role }) });
      const read = async (headers: Record<string, string>) => {
        const response = await fetch(`${url}/admin`, { headers });
        return [response.status, await response.text()];
      };
      const asUser = async () => ({ Authorization: `Bearer ${(await auth.login(credentials)).access}` });
      expect((await read({}))[0]).toBe(401);
      expect(await read(await asUser())).toEqual([
        403,
        '{"detail":"Only for the role admin.","code":"permission_denied"}',
      ]);
      await auth.users.update("1", { role: "admin" });
      expect(await read(await asUser())).toEqual([200, "admin 1"]);
    });

    it.each([false, true])(
      `closes auth and what the application gives on ${on}, although a service reads a stream, with GraphQL: %s`,
      async (hasGraphql) => {
        const { url, auth, store, close, countClosed } = await openApp({}, hasGraphql ? {} : { graphql: "none" });
        const service = await addService({ store }, ["feed"]);
        const response = await fetch(`${url}/api/auth/revocations/?stream=1`, { headers: service.bearer });
        expect([response.status, response.headers.get("Content-Type")]).toEqual([200, frameType]);
        // The server of GraphQL waits for open connections before other modules hear of the shutdown.
        if (hasGraphql) auth.drain();
        await Promise.all([response.arrayBuffer(), close()]);
        expect(countClosed()).toBe(1);
      },
    );

    it(`answers GraphQL by the rules of its resolvers on ${on}`, async () => {
      const { url, auth } = await openApp();
      const { access, session } = await auth.login(credentials);
      const ask = async (query: string, token?: string) => {
        const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
        const body = JSON.stringify({ query });
        const response = await fetch(`${url}/graphql`, {
          method: "POST",
          headers: { "Content-Type": "application/json", ...headers },
          body,
        });
        return response.json();
      };
      expect(await ask("{ version }")).toEqual({ data: { version: "1" } });
      expect(await ask("{ me }", access)).toEqual({ data: { me: "1" } });
      expect((await ask("{ me }")).errors).toMatchObject([
        { extensions: { code: "UNAUTHENTICATED", originalError: { code: "not_authenticated" } } },
      ]);
      expect((await ask("{ danger }", access)).errors).toMatchObject([
        { extensions: { originalError: { code: "confirmation_required", amr: ["otp"], max_age: 3_600 } } },
      ]);
      const confirmed = await auth.confirm({ userId: session.userId, sessionId: session.id }, { amr: ["otp"] });
      expect(await ask("{ danger }", confirmed.access)).toEqual({ data: { danger: "danger" } });
    });

    it(`guards only the routes that name the guard with guard: "route" on ${on}`, async () => {
      const { url, auth } = await openApp({ claims: ({ role }) => ({ role }) }, { guard: "route" });
      const { access } = await auth.login(credentials);
      const read = async (path: string, headers: Record<string, string> = {}) => {
        const response = await fetch(url + path, { headers });
        return `${response.status} ${(await response.text()).slice(0, 30)}`;
      };
      expect(await read("/orders")).toMatch(/^401 /);
      expect(await read("/orders", { Authorization: `Bearer ${access}` })).toBe("200 orders of 1");
      expect(await read("/orders/unguarded")).toBe("200 unguarded");
      expect(await read("/danger", { Authorization: `Bearer ${access}` })).toMatch(/^401 .*confirm/i);
      expect(await read("/orders/reports")).toMatch(/^401 /);
      expect(await read("/orders/reports", { Authorization: `Bearer ${access}` })).toMatch(/^403 /);
      await auth.users.update("1", { role: "admin" });
      const { access: asAdmin } = await auth.login(credentials);
      expect(await read("/orders/reports", { Authorization: `Bearer ${asAdmin}` })).toBe("200 reports for 1");
      // An unguarded route never runs with an unknown user.
      expect(await read("/orders/forgotten", { Authorization: `Bearer ${access}` })).toBe("500 handled");
    });

    it(`guards routes and closes sockets with a verifier as auth on ${on}`, async () => {
      const { auth, store, close } = await createScriptAuth(issuerSettings);
      const verifier = await openVerifier({ auth, store });
      const { start } = await load();
      app = {
        ...(await start(
          { ...verifier, cors: auth.cors, handles: auth.handles },
          { ...platform, graphql: "none" },
          close,
        )),
        auth,
        store,
      };
      const pair = await auth.login(credentials);
      const read = (path: string) => fetch(app.url + path, { headers: { Authorization: `Bearer ${pair.access}` } });
      expect(await (await read("/hello")).text()).toBe("hello 1");
      expect((await read("/api/auth/me/")).status).toBe(404);
      const socket = await connectors(platform.sockets)[0][1](app.url, pair.access);
      expect(await socket.ask("say", "hi")).toEqual({ event: "said", data: "1 says hi" });
      await auth.logout(pair.refresh);
      await whenVerifiersKnow(auth);
      expect(await socket.closed).toBe(platform.sockets === "ws" ? 4401 : "io server disconnect");
      expect((await read("/hello")).status).toBe(401);
    });

    it.runIf(platform.sockets === "ws")(`loses subscriptions of GraphQL to Nest's adapter on ${on}`, async () => {
      const { url, auth } = await openApp();
      const payload = { token: (await auth.login(credentials)).access };
      const closed = connectGraphql(url, { payload }).then((socket) => socket.closed);
      expect([1006, "ECONNRESET"]).toContain(await closed.catch(({ code }) => code));
    });

    describe.runIf(platform.sockets === "socket.io")("subscriptions of GraphQL", () => {
      const subscription = "subscription { clock }";

      it(`end at a logout and not at a refresh on ${on}`, async () => {
        const { url, auth } = await openApp();
        for (const by of ["payload", "header", "cookie"] as const) {
          const pair = await auth.login(credentials);
          const socket = await connectGraphql(url, {
            payload: { token: by === "payload" ? pair.access : undefined },
            headers: toHeaders(url, by, pair.access),
          });
          socket.subscribe(subscription);
          expect(await socket.until("next")).toEqual({ data: { clock: "tick" } });
          const { refresh } = await auth.refresh(pair.refresh);
          socket.forget();
          await socket.until("next");
          await auth.logout(refresh);
          expect(await socket.closed).toBe(4401);
        }
      });

      it(`are refused without a valid token, and by cookie from another origin, on ${on}`, async () => {
        const { url, auth } = await openApp();
        const { access } = await auth.login(credentials);
        const cookie = {
          ...toHeaders(url, "cookie", access),
          Origin: "https://evil.example",
          "Sec-Fetch-Site": "cross-site",
        };
        const refused = [
          [{}, "not_authenticated"],
          [{ payload: { token: "garbage" } }, "token_not_valid"],
          [{ headers: cookie }, "csrf_failed"],
        ] as const;
        for (const [options, code] of refused) {
          const socket = await connectGraphql(url, options);
          socket.subscribe(subscription);
          const answer = await Promise.race([socket.until("error"), socket.until("next"), socket.closed]);
          expect(answer).toMatchObject({ errors: [{ extensions: { originalError: { code } } }] });
          socket.close();
        }
      });
    });

    it.runIf(platform.http === "fastify")(`answers Mercurius by the rules of its resolvers on ${on}`, async () => {
      const { url, auth } = await openApp({}, { graphql: "mercurius" });
      const { access } = await auth.login(credentials);
      const ask = async (query: string, headers: Record<string, string> = {}) => {
        const body = JSON.stringify({ query });
        const init = { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body };
        return (await fetch(`${url}/graphql`, init)).json();
      };
      expect((await ask("{ version }")).data).toEqual({ version: "1" });
      expect((await ask("{ me }", { Authorization: `Bearer ${access}` })).data).toEqual({ me: "1" });
      expect(await ask("{ me }")).toMatchObject({
        data: null,
        errors: [
          {
            message: "Authentication credentials were not provided.",
            extensions: { originalError: { code: "not_authenticated" } },
          },
        ],
      });
    });

    it(`works in an application of @nestjs/testing on ${on}`, async () => {
      const { auth, store, close } = await createScriptAuth();
      const { startTesting, startUnguarded } = await load();
      const testing: RunningApp = await startTesting(auth);
      const { access } = await auth.login(credentials);
      const read = (url: string, headers = {}) => fetch(url, { headers }).then((response) => response.text());
      expect(await read(`${testing.url}/hello`, { Authorization: `Bearer ${access}` })).toBe("hello 1");
      await testing.close();
      const unguarded: RunningApp = await startUnguarded("test user");
      expect(await read(`${unguarded.url}/orders`)).toBe("orders of test user");
      await unguarded.close();
      app = { url: "", auth, store, countClosed: () => 0, close };
    });

    it.runIf(platform.sockets === "ws")(`refuses a socket by cookie from an untrusted origin on ${on}`, async () => {
      // At the shutdown, Apollo over Fastify waits for the sockets that this test leaves open.
      const { url, auth } = await openApp({}, { graphql: "none" });
      const { access } = await auth.login(credentials);
      const headers = toHeaders(url, "cookie", access);
      const { Cookie = "" } = headers;
      const origin = { Cookie, Origin: "https://evil.example" };
      for (const forged of [
        origin,
        { ...origin, "Sec-Fetch-Site": "cross-site" },
        { ...origin, "Sec-Fetch-Site": "same-site" },
      ]) {
        const socket = await connectWebSocket(url, forged);
        expect(await Promise.race([socket.closed, socket.ask("say", "hi")])).toBe(4401);
      }
      // Sec-Fetch-Site decides if a browser sends it, here as in a request: a page can't set it.
      for (const own of [headers, { ...origin, "Sec-Fetch-Site": "same-origin" }]) {
        const answer = await (await connectWebSocket(url, own)).ask("say", "hi");
        expect(answer).toEqual({ event: "said", data: "1 says hi" });
      }
    });

    it.runIf(platform.sockets === "ws")(`closes a socket with 1013 if this node can't know on ${on}`, async () => {
      const unavailable = Response.json({ detail: "down", code: "unavailable" }, { status: 503 });
      const { url } = await openApp({}, {}, (auth) => ({
        ...auth,
        check: async () => ({ ok: false, response: unavailable.clone() }),
      }));
      expect(await (await connectWebSocket(url, {})).closed).toBe(1013);
    });

    it.runIf(platform.sockets === "socket.io")(
      `refuses cookies of a socket that polls, and takes its token, on ${on}`,
      async () => {
        const { url, auth } = await openApp();
        const { access } = await auth.login(credentials);
        const transports = ["polling"];
        const byCookie = await connectSocketIo(
          url,
          { transports, extraHeaders: toHeaders(url, "cookie", access) },
          "/polled",
        );
        expect(await byCookie.closed).toBe("io server disconnect");
        const byToken = await connectSocketIo(url, { transports, auth: { token: access } }, "/polled");
        expect(await byToken.ask("say", "hi")).toEqual({ event: "said", data: "1 says hi" });
      },
    );

    describe.each(connectors(platform.sockets))("a socket, opened with %s", (_, connect) => {
      let pair: Awaited<ReturnType<Auth["login"]>>;
      let socket: Connection;
      beforeEach(async () => {
        await openApp();
        pair = await app.auth.login(credentials);
      });

      it(`gets answers, stays open at a refresh, and closes at a logout on ${on}`, async () => {
        socket = await connect(app.url, pair.access);
        expect(await socket.ask("say", "hi")).toEqual({ event: "said", data: "1 says hi" });
        expect(await socket.ask("danger", "")).toMatchObject({
          event: "exception",
          data: { code: "confirmation_required", amr: ["otp"], max_age: 3_600 },
        });
        const { refresh } = await app.auth.refresh(pair.refresh);
        expect(await socket.ask("say", "again")).toEqual({ event: "said", data: "1 says again" });
        await app.auth.logout(refresh);
        expect(await socket.closed).toBe(platform.sockets === "ws" ? 4401 : "io server disconnect");
      });

      it(`is closed without a valid token on ${on}`, async () => {
        socket = await connect(app.url, "garbage");
        expect(await socket.closed).toBe(platform.sockets === "ws" ? 4401 : "io server disconnect");
      });
    });
  });
}

/** Returns the headers of a browser, or of another client, that opens a socket. */
function toHeaders(url: string, by: "payload" | "header" | "cookie", access: string): Record<string, string> {
  if (by === "header") return { Authorization: `Bearer ${access}` };
  if (by === "payload") return {};
  return { Cookie: `__Host-Http-access=${access}`, Origin: url, "Sec-Fetch-Site": "same-origin" };
}
