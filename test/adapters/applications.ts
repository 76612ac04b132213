import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import type express from "express";
import type fastify from "fastify";
import type { FastifyRequest, onRequestAsyncHookHandler, onRequestHookHandler } from "fastify";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { expect } from "vitest";
import * as forExpress from "../../src/adapters/express/index.ts";
import * as forFastify from "../../src/adapters/fastify/index.ts";
import * as forHono from "../../src/adapters/hono/index.ts";
import * as forNode from "../../src/adapters/node/index.ts";
import type { Auth, Authentication, User } from "../../src/index.ts";
import { danger, type RunningApp } from "./http-script.ts";

/** The frameworks that the applications use, in one of their majors. */
export interface Frameworks {
  readonly express: typeof express;
  readonly fastify: typeof fastify;
  readonly Hono: typeof Hono;
}

/** Starts an application that mounts this `Auth`. */
export type Start = (auth: Auth) => Promise<RunningApp>;

/** An application: its name, how it starts, and whether body parsers run before tokenpair. */
export type Application = readonly [name: string, start: Start, isBehindParser: boolean];

const corsOptions = { allowHeaders: ["X-Trace"], exposeHeaders: ["X-Total"] };

/** Returns the applications that guard their own routes with each way of `requireUser`. */
export function listApplications(frameworks: Frameworks): readonly Application[] {
  const { fastify, Hono } = frameworks;
  return [
    ["Express", (auth) => startExpress(frameworks.express, auth, []), false],
    ["Fastify", (auth) => startFastify(fastify, auth, forFastify.requireUser(auth)), false],
    [
      "Fastify, awaited by a hook of the application's own",
      (auth) => startFastify(fastify, auth, awaitedByOwnHook(auth)),
      false,
    ],
    [
      "Fastify, returned by a hook of the application's own",
      (auth) => startFastify(fastify, auth, returnedByOwnHook(auth)),
      false,
    ],
    [
      "Hono",
      (auth) => startHono(Hono, auth, (app, path, handler) => app.all(path, forHono.requireUser(auth), handler)),
      false,
    ],
    [
      "Hono, around the handler",
      (auth) => startHono(Hono, auth, (app, path, handler) => app.all(path, forHono.requireUser(auth, handler))),
      false,
    ],
  ];
}

/** Returns the applications whose body parsers run before tokenpair. */
export function listApplicationsBehindParsers({ express, Hono }: Frameworks): readonly Application[] {
  const parsers = [express.json(), express.urlencoded({ extended: false })];
  const guard =
    (auth: Auth): AddGuarded =>
    (app, path, handler) =>
      app.all(path, forHono.requireUser(auth), handler);
  return [
    ["Express behind its body parsers", (auth) => startExpress(express, auth, parsers), true],
    ["Hono behind a middleware that reads the body", (auth) => startHono(Hono, auth, guard(auth), [readBody]), false],
  ];
}

function fail(): never {
  throw new Error("broken");
}

function awaitedByOwnHook(auth: Auth): onRequestAsyncHookHandler {
  const hook = forFastify.requireUser(auth);
  return async (request, reply) => {
    await hook(request, reply);
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

/** Starts an application without a framework. */
export function startNode(auth: Auth): Promise<RunningApp> {
  const handleAuth = forNode.toNodeHandler(auth);
  const authenticate = forNode.requireUser(auth);
  const startSession = forNode.sessionStarter(auth);
  const authenticatePage = forNode.requirePage(auth, { loginPath: "/sign-in" });
  const authenticateAgain = forNode.requireUser(auth, danger);
  const allowOrigins = forNode.cors(auth, corsOptions);
  return listen(async (req, res) => {
    if (allowOrigins(req, res)) return;
    if (auth.handles(req)) return void (await handleAuth(req, res));
    if (req.url === "/own") return void res.end("the application's own");
    if (req.url === "/start") {
      res.setHeader("Set-Cookie", "own=1");
      await startSession(req, res, "1", { amr: ["email"] });
      return void res.writeHead(303, { Location: "/own" }).end();
    }
    if (req.url === "/danger") {
      const confirmed = await authenticateAgain(req, res);
      if (confirmed !== null) res.end(`by ${confirmed.amr}`);
      return;
    }
    if (req.url?.startsWith("/page")) {
      const visitor = await authenticatePage(req, res);
      if (visitor !== null) res.end(`page of ${visitor.userId}`);
      return;
    }
    const user = await authenticate(req, res);
    if (user !== null) res.end(`hello ${user.userId}`);
  });
}

function startExpress(
  create: Frameworks["express"],
  auth: Auth,
  parsers: readonly express.RequestHandler[],
): Promise<RunningApp> {
  const app = create();
  for (const parser of parsers) app.use(parser);
  app.use(forExpress.cors(auth, corsOptions));
  app.use(forExpress.authRoutes(auth));
  app.get("/own", (_req, res) => void res.vary("Accept").send("the application's own"));
  app.all("/hello", forExpress.requireUser(auth), (req, res) => void res.send(`hello ${req.auth.userId}`));
  const startSession = forExpress.sessionStarter(auth);
  app.get("/start", (req, res, next) => {
    res.cookie("own", "1");
    startSession(req, res, "1", { amr: ["email"] }).then(() => res.redirect(303, "/own"), next);
  });
  app.get("/danger", forExpress.requireUser(auth, danger), (req, res) => void res.send(`by ${req.auth.amr}`));
  // Mounted, so that Express shortens `url`.
  app.use("/page", forExpress.requirePage(auth, { loginPath: "/sign-in" }), (req, res) => {
    res.send(`page of ${req.auth.userId}`);
  });
  app.get("/broken", forExpress.requireUser(auth), fail);
  app.use(((_error, _req, res, _next) => void res.status(500).send("handled")) as express.ErrorRequestHandler);
  return listen(app);
}

async function startFastify(
  create: Frameworks["fastify"],
  auth: Auth,
  onRequest: onRequestHookHandler | onRequestAsyncHookHandler,
): Promise<RunningApp> {
  const app = create();
  await app.register(forFastify.cors(auth, corsOptions));
  await app.register(forFastify.authRoutes(auth));
  app.get("/own", async () => "the application's own");
  let unauthenticated = 0;
  const handler = async ({ auth: user }: FastifyRequest) => {
    if (user === null) unauthenticated++;
    return `hello ${user.userId}`;
  };
  app.get("/hello", { onRequest }, handler);
  app.post("/hello", { onRequest }, handler);
  const startSession = forFastify.sessionStarter(auth);
  app.get("/start", async (request, reply) => {
    reply.header("Set-Cookie", "own=1");
    await startSession(request, reply, "1", { amr: ["email"] });
    return reply.redirect("/own", 303);
  });
  app.get("/danger", { onRequest: forFastify.requireUser(auth, danger) }, async (request) => `by ${request.auth.amr}`);
  const requirePage = forFastify.requirePage(auth, { loginPath: "/sign-in" });
  app.get("/page", { onRequest: requirePage }, async (request) => `page of ${request.auth.userId}`);
  app.get("/broken", { onRequest }, fail);
  // A reply counts as sent only when these hooks have ended.
  app.addHook("onSend", async (_request, _reply, payload) => {
    await sleep(5);
    return payload;
  });
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send("handled"));
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const close = async () => {
    await app.close();
    expect(unauthenticated).toBe(0);
  };
  return { url, close };
}

function returnedByOwnHook(auth: Auth): onRequestAsyncHookHandler {
  const hook = forFastify.requireUser(auth);
  return (request, reply) => hook(request, reply) as Promise<void>;
}

type GuardedHandler = (c: Context<{ Variables: { auth: Authentication<User> } }>) => Response;

type AddGuarded = (app: Hono, path: string, handler: GuardedHandler) => unknown;

/** Reads the body as a logger does. */
const readBody: MiddlewareHandler = async ({ req }, next) => {
  const isForm = req.header("Content-Type")?.startsWith("application/x-www-form-urlencoded");
  await (isForm ? req.formData() : req.text());
  await next();
};

async function startHono(
  App: Frameworks["Hono"],
  auth: Auth,
  addGuarded: AddGuarded,
  before: readonly MiddlewareHandler[] = [],
): Promise<RunningApp> {
  const app = new App();
  for (const middleware of before) app.use(middleware);
  app.use(forHono.cors(auth, corsOptions));
  app.use(forHono.authRoutes(auth));
  app.get("/own", (c) => c.text("the application's own"));
  addGuarded(app, "/hello", (c) => c.text(`hello ${c.get("auth").userId}`));
  const startSession = forHono.sessionStarter(auth);
  app.get("/start", async (c) => {
    c.header("Set-Cookie", "own=1");
    await startSession(c, "1", { amr: ["email"] });
    return c.redirect("/own", 303);
  });
  app.get("/danger", forHono.requireUser(auth, danger), (c) => c.text(`by ${c.get("auth").amr}`));
  app.get("/page", forHono.requirePage(auth, { loginPath: "/sign-in" }), (c) =>
    c.text(`page of ${c.get("auth").userId}`),
  );
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
