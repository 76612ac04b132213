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
import { type Connection, connectors } from "./nest-clients.ts";
import { isPrepared } from "./prepared.ts";

const folder = resolve(import.meta.dirname, "nest");
const version = () => createRequire(resolve(folder, "package.json"))("@nestjs/core/package.json").version;

const platforms = [
  { http: "express", sockets: "ws", isAsync: false },
  { http: "express", sockets: "socket.io", isAsync: true },
  { http: "fastify", sockets: "ws", isAsync: true },
  { http: "fastify", sockets: "socket.io", isAsync: false },
] as const;

/** Starts the application of this folder, as it is built, with an `Auth` of this project's source. */
async function open(
  platform: (typeof platforms)[number] & { readonly hasGraphql?: boolean },
  settings: Partial<AuthOptions> = {},
) {
  const { auth, store, close } = await createScriptAuth(settings);
  const { start } = await import(resolve(folder, "dist/application.js"));
  let closed = 0;
  const app: RunningApp = await start(auth, platform, () => {
    closed += 1;
    return close();
  });
  return { ...app, auth, store, countClosed: () => closed };
}

describe.skipIf(!isPrepared("nest"))("the entry tokenpair/nestjs", () => {
  it("exports what it promises", async () => {
    const entry = await import(resolve(folder, "node_modules/tokenpair/dist/adapters/nestjs.js"));
    const names = ["AuthGuard", "AuthSockets", "CurrentUser", "InjectAuth", "Public", "StepUp", "TokenpairModule"];
    expect(Object.keys(entry).sort()).toEqual(names);
  });
});

describe.skipIf(!isPrepared("nest")).each(platforms)("tokenpair/nestjs over $http with $sockets", (platform) => {
  const name = `${platform.http} with ${platform.sockets}`;
  let app: Awaited<ReturnType<typeof open>>;
  const openApp = async (settings?: Partial<AuthOptions>, changes: { readonly hasGraphql?: boolean } = {}) => {
    app = await open({ ...platform, ...changes }, settings);
    return app;
  };
  afterEach(() => app.close());
  afterAll(() => console.log(`frameworks: nest: ${version()} over ${name}: HTTP, gateway and GraphQL`));

  it(`passes the HTTP script on ${name}`, async () => {
    const { url, auth } = await openApp();
    await runHttpScript(url, auth);
  });

  it(`passes the script of other logins on ${name}`, async () => {
    const { url, auth } = await openApp();
    await runOtherLoginScript(url, auth);
  });

  it(`passes the scripts of CORS and step-up on ${name}`, async () => {
    const { url, auth } = await openApp({ trustedOrigins: ["https://app.example.com", "ionic://localhost"] });
    await runCorsScript(url);
    await runStepUpScript(url, auth);
  });

  it(`leaves an error of a handler to the application's filter on ${name}`, async () => {
    const { url, auth } = await openApp();
    const { access } = await auth.login(credentials);
    const response = await fetch(`${url}/broken`, { headers: { Authorization: `Bearer ${access}` } });
    expect([response.status, await response.text()]).toEqual([500, "handled"]);
  });

  it(`opens @Public() routes to all, and tells them who is logged in, on ${name}`, async () => {
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
    expect(await read("/open")).toEqual([200, "open"]);
    // @StepUp() on a route wins over @Public() on its class.
    expect((await read("/open/closed"))[0]).toBe(401);
    expect(await read("/open/closed", access)).toEqual([200, "closed for all but 1"]);
  });

  it(`closes auth and what the application gives on ${name}, although a service reads a stream`, async () => {
    // Without GraphQL, whose server waits for open connections before other modules hear of the shutdown.
    const { url, store, close, countClosed } = await openApp({}, { hasGraphql: false });
    const service = await addService({ store }, ["feed"]);
    const response = await fetch(`${url}/api/auth/revocations/?stream=1`, { headers: service.bearer });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, frameType]);
    await Promise.all([response.arrayBuffer(), close()]);
    expect(countClosed()).toBe(1);
  });

  it(`answers GraphQL by the rules of its resolvers on ${name}`, async () => {
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

  describe.each(connectors(platform.sockets))("a socket, opened with %s", (_, connect) => {
    let pair: Awaited<ReturnType<Auth["login"]>>;
    let socket: Connection;
    beforeEach(async () => {
      await openApp();
      pair = await app.auth.login(credentials);
    });

    it(`gets answers, stays open at a refresh, and closes at a logout on ${name}`, async () => {
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

    it(`is closed without a valid token on ${name}`, async () => {
      socket = await connect(app.url, "garbage");
      expect(await socket.closed).toBe(platform.sockets === "ws" ? 4401 : "io server disconnect");
    });
  });
});
