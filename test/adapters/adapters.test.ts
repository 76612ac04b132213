import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import express from "express";
import fastify, { type FastifyRequest, type onRequestAsyncHookHandler, type onRequestHookHandler } from "fastify";
import { type Context, Hono } from "hono";
import { describe, expect, it } from "vitest";
import * as forExpress from "../../src/adapters/express.ts";
import * as forFastify from "../../src/adapters/fastify.ts";
import * as forHono from "../../src/adapters/hono.ts";
import * as forNode from "../../src/adapters/node.ts";
import type { Auth, Authentication, Settings, User } from "../../src/index.ts";
import { createScriptAuth, credentials, type RunningApp, runHttpScript } from "./http-script.ts";

type Start = (auth: Auth) => Promise<RunningApp>;

const frameworks: readonly (readonly [string, Start])[] = [
  ["Express", (auth) => startExpress(auth, [])],
  ["Fastify", (auth) => startFastify(auth, forFastify.requireUser(auth))],
  ["Fastify, within a hook of the application's own", (auth) => startFastify(auth, withinOwnHook(auth))],
  ["Fastify, returned by a hook of the application's own", (auth) => startFastify(auth, returnedByOwnHook(auth))],
  ["Hono", (auth) => startHono(auth, (app, path, handler) => app.all(path, forHono.requireUser(auth), handler))],
  [
    "Hono, around the handler",
    (auth) => startHono(auth, (app, path, handler) => app.all(path, forHono.requireUser(auth, handler))),
  ],
];

const ways: readonly (readonly [string, Partial<Settings>])[] = [
  ["from memory", {}],
  ["asking for the user", { checkUserIsActive: true }],
];

describe.each<readonly [string, Start]>([
  ["plain Node", startNode],
  ...frameworks,
  ["Express behind its body parsers", (auth) => startExpress(auth, [express.json(), express.urlencoded()])],
])("the adapter for %s", (name, start) => {
  it.each(ways)("passes the one HTTP script %s", async (_, settings) => {
    const { auth, close } = await createScriptAuth(settings);
    const app = await start(auth);
    try {
      await runHttpScript(app.url, auth, name.includes("body parsers"));
    } finally {
      await app.close();
      await close();
    }
  });
});

describe.each(frameworks)("the adapter for %s", (_, start) => {
  it.each(ways)("leaves an error of the handler to the application, %s", async (_, settings) => {
    const { auth, close } = await createScriptAuth(settings);
    const app = await start(auth);
    const { access } = await auth.login(credentials);
    const response = await fetch(`${app.url}/broken`, { headers: { Authorization: `Bearer ${access}` } });
    expect([response.status, await response.text()]).toEqual([500, "handled"]);
    await app.close();
    await close();
  });

  it("hands over an error of the application's own check instead of hanging", async () => {
    const { auth, close } = await createScriptAuth();
    for (const admit of [() => Promise.reject(new Error("broken")), () => fail()]) {
      const app = await start({ ...auth, admit });
      const response = await fetch(`${app.url}/hello`);
      expect([response.status, await response.text()]).toEqual([500, "handled"]);
      await app.close();
    }
    // Not even without an error may it be taken for a yes.
    const app = await start({ ...auth, admit: () => Promise.reject() });
    expect((await fetch(`${app.url}/hello`)).status).toBe(500);
    await app.close();
    await close();
  });
});

describe("the adapters", () => {
  it("leave the global Request and Response as they are", () => {
    const before = [globalThis.Request, globalThis.Response];
    forNode.toNodeListener({ fetch: async () => new Response() });
    expect([globalThis.Request, globalThis.Response]).toEqual(before);
  });
});

function fail(): never {
  throw new Error("broken");
}

function withinOwnHook(auth: Auth): onRequestAsyncHookHandler {
  const guard = forFastify.requireUser(auth);
  return async (request, reply) => {
    await guard(request, reply);
  };
}

async function listen(listener: RequestListener): Promise<RunningApp> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function startNode(auth: Auth): Promise<RunningApp> {
  const authRoutes = forNode.toNodeListener(auth);
  const requireUser = forNode.requireUser(auth);
  return listen(async (req, res) => {
    const { pathname } = new URL(req.url ?? "/", "http://localhost");
    if (auth.handles(pathname)) return void (await authRoutes(req, res));
    if (pathname === "/own") return void res.end("the application's own");
    const user = await requireUser(req, res);
    if (user !== null) res.end(`hello ${user.userId}`);
  });
}

function startExpress(auth: Auth, parsers: readonly express.RequestHandler[]): Promise<RunningApp> {
  const app = express();
  for (const parser of parsers) app.use(parser);
  app.use(forExpress.authRoutes(auth));
  app.get("/own", (_req, res) => void res.send("the application's own"));
  app.all("/hello", forExpress.requireUser(auth), (req, res) => void res.send(`hello ${req.auth?.userId}`));
  app.get("/broken", forExpress.requireUser(auth), fail);
  app.use(((_error, _req, res, _next) => void res.status(500).send("handled")) as express.ErrorRequestHandler);
  return listen(app);
}

async function startFastify(
  auth: Auth,
  onRequest: onRequestHookHandler | onRequestAsyncHookHandler,
): Promise<RunningApp> {
  const app = fastify();
  await app.register(forFastify.authRoutes(auth));
  app.get("/own", async () => "the application's own");
  let strangers = 0;
  const handler = async ({ auth: user }: FastifyRequest) => {
    if (user === null) strangers++;
    return `hello ${user?.userId}`;
  };
  app.get("/hello", { onRequest }, handler);
  app.post("/hello", { onRequest }, handler);
  app.get("/broken", { onRequest }, fail);
  // A reply counts as sent only when these have ended.
  app.addHook("onSend", async (_request, _reply, payload) => {
    await sleep(5);
    return payload;
  });
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send("handled"));
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const close = async () => {
    await app.close();
    expect(strangers).toBe(0);
  };
  return { url, close };
}

function returnedByOwnHook(auth: Auth): onRequestAsyncHookHandler {
  const guard = forFastify.requireUser(auth);
  return (request, reply) => guard(request, reply) as Promise<void>;
}

type GuardedHandler = (c: Context<{ Variables: { auth: Authentication<User> } }>) => Response;

async function startHono(
  auth: Auth,
  addGuarded: (app: Hono, path: string, handler: GuardedHandler) => unknown,
): Promise<RunningApp> {
  const app = new Hono();
  app.use(forHono.authRoutes(auth));
  app.get("/own", (c) => c.text("the application's own"));
  addGuarded(app, "/hello", (c) => c.text(`hello ${c.get("auth").userId}`));
  addGuarded(app, "/broken", fail);
  app.onError((_, c) => c.text("handled", 500));
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1", overrideGlobalObjects: false }, (info) => {
      resolve({
        url: `http://127.0.0.1:${info.port}`,
        close: () => new Promise((done) => server.close(() => done())),
      });
    });
  });
}
