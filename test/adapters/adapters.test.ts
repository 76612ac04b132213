import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { type Context, Hono } from "hono";
import { describe, expect, it } from "vitest";
import * as forExpress from "../../src/adapters/express.ts";
import * as forFastify from "../../src/adapters/fastify.ts";
import * as forHono from "../../src/adapters/hono.ts";
import * as forNode from "../../src/adapters/node.ts";
import type { Auth, Authentication, User } from "../../src/index.ts";
import { createScriptAuth, type RunningApp, runHttpScript } from "./http-script.ts";

describe.each<[string, (auth: Auth) => Promise<RunningApp>]>([
  ["plain Node", startNode],
  ["Express", (auth) => startExpress(auth, [])],
  ["Express behind its body parsers", (auth) => startExpress(auth, [express.json(), express.urlencoded()])],
  ["Fastify", startFastify],
  ["Hono", (auth) => startHono(auth, (app) => app.all("/hello", forHono.requireUser(auth), hello))],
  ["Hono, around the handler", (auth) => startHono(auth, (app) => app.all("/hello", forHono.requireUser(auth, hello)))],
])("the adapter for %s", (name, start) => {
  it.each([
    ["from memory", {}],
    ["asking for the user", { checkUserIsActive: true }],
  ])("passes the one HTTP script %s", async (_, settings) => {
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

describe("the adapters", () => {
  it("leave the global Request and Response as they are", () => {
    const before = [globalThis.Request, globalThis.Response];
    forNode.toNodeListener({ fetch: async () => new Response() });
    expect([globalThis.Request, globalThis.Response]).toEqual(before);
  });

  it.each<[string, (auth: Auth) => Promise<RunningApp>]>([
    ["Express", (auth) => startExpress(auth, [])],
    ["Fastify", startFastify],
    ["Hono", (auth) => startHono(auth, (app) => app.all("/hello", forHono.requireUser(auth), hello))],
    [
      "Hono, around the handler",
      (auth) => startHono(auth, (app) => app.all("/hello", forHono.requireUser(auth, hello))),
    ],
  ])("hand over an error of the application's own instead of hanging: %s", async (_, start) => {
    const { auth, close } = await createScriptAuth();
    const failures = [() => Promise.reject(new Error("broken")), () => fail(new Error("broken"))];
    for (const admit of failures) {
      const app = await start({ ...auth, admit });
      const response = await fetch(`${app.url}/hello`);
      expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining("hello")]);
      await app.close();
    }
    await close();
  });
});

function fail(error: Error): never {
  throw error;
}

const hello = (c: Context<{ Variables: { auth: Authentication<User> } }>) => c.text(`hello ${c.get("auth").userId}`);

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
  return listen(app);
}

async function startFastify(auth: Auth): Promise<RunningApp> {
  const app = fastify();
  await app.register(forFastify.authRoutes(auth));
  app.get("/own", async () => "the application's own");
  const onRequest = forFastify.requireUser(auth);
  app.route({
    method: ["GET", "POST"],
    url: "/hello",
    onRequest,
    handler: async ({ auth: user }) => `hello ${user?.userId}`,
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { url, close: () => app.close() };
}

async function startHono(auth: Auth, addHello: (app: Hono) => unknown): Promise<RunningApp> {
  const app = new Hono();
  app.use(forHono.authRoutes(auth));
  app.get("/own", (c) => c.text("the application's own"));
  addHello(app);
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
