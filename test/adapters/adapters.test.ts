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
import { frameType } from "../../src/flows/feed-readers.ts";
import type { Auth, Authentication, Settings, User } from "../../src/index.ts";
import { addService } from "../support/services.ts";
import { issuerSettings, openVerifier, whenVerifiersKnow } from "../support/verifier.ts";
import {
  createScriptAuth,
  credentials,
  danger,
  type RunningApp,
  runCorsScript,
  runHttpScript,
  runOtherLoginScript,
  runStepUpScript,
} from "./http-script.ts";

type Start = (auth: Auth) => Promise<RunningApp>;

const frameworks: readonly (readonly [string, Start])[] = [
  ["Express", (auth) => startExpress(auth, [])],
  ["Fastify", (auth) => startFastify(auth, forFastify.requireUser(auth))],
  ["Fastify, awaited by a hook of the application's own", (auth) => startFastify(auth, awaitedByOwnHook(auth))],
  ["Fastify, returned by a hook of the application's own", (auth) => startFastify(auth, returnedByOwnHook(auth))],
  ["Hono", (auth) => startHono(auth, (app, path, handler) => app.all(path, forHono.requireUser(auth), handler))],
  [
    "Hono, around the handler",
    (auth) => startHono(auth, (app, path, handler) => app.all(path, forHono.requireUser(auth, handler))),
  ],
];

const corsOptions = { allowHeaders: ["X-Trace"], exposeHeaders: ["X-Total"] };

const ways: readonly (readonly [string, Partial<Settings>])[] = [
  ["from memory", {}],
  ["with a lookup of the user", { checkUserIsActive: true }],
];

/** What answers with two cookies, whatever the request. */
const cookies = ["one=1; Path=/; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "two=2; HttpOnly"];
const answerWithCookies = () =>
  new Response("no", { status: 418, headers: cookies.map((cookie): [string, string] => ["Set-Cookie", cookie]) });

describe.each<readonly [string, Start]>([
  ["plain Node", startNode],
  ...frameworks,
  ["Express behind its body parsers", (auth) => startExpress(auth, [express.json(), express.urlencoded()])],
])("the adapter for %s", (name, start) => {
  it.each(ways)(`passes the HTTP script on ${name}, %s`, async (_, settings) => {
    const { auth, close } = await createScriptAuth(settings);
    const app = await start(auth);
    try {
      await runHttpScript(app.url, auth, name.includes("body parsers"));
    } finally {
      await app.close();
      await close();
    }
  });

  it(`passes the HTTP script on ${name} behind a verifier that reads from the issuer`, async () => {
    const { auth, store, close } = await createScriptAuth(issuerSettings);
    const verifier = await openVerifier({ auth, store });
    const app = await start({
      ...auth,
      check: (request, options) => verifier.check(request, options),
      fetch: async (request, connection) => {
        const response = await auth.fetch(request, connection);
        await whenVerifiersKnow(auth);
        return response;
      },
    });
    try {
      await runHttpScript(app.url, auth, name.includes("body parsers"));
    } finally {
      await app.close();
      verifier.close();
      await close();
    }
  });

  it(`lets pages of trusted origins use the application's own routes on ${name}`, async () => {
    const { auth, close } = await createScriptAuth({
      trustedOrigins: ["https://app.example.com", "ionic://localhost"],
    });
    const app = await start(auth);
    try {
      await runCorsScript(app.url);
    } finally {
      await app.close();
      await close();
    }
  });

  it(`passes the script of other logins on ${name}`, async () => {
    const { auth, close } = await createScriptAuth();
    const app = await start(auth);
    await runOtherLoginScript(app.url, auth);
    await app.close();
    await close();
  });

  it(`passes the step-up script on ${name}`, async () => {
    const { auth, close } = await createScriptAuth();
    const app = await start(auth);
    await runStepUpScript(app.url, auth);
    await app.close();
    await close();
  });

  it(`streams the revocation feed on ${name}, and ends the stream when auth drains`, async () => {
    const { auth, store, close } = await createScriptAuth();
    const service = await addService({ store }, ["feed"]);
    const app = await start(auth);
    const response = await fetch(`${app.url}/api/auth/revocations/?stream=1`, { headers: service.bearer });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, frameType]);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString("latin1", 0, 4)).toBe("TPR1");
    auth.drain();
    while (!(await reader.read()).done);
    const refused = await fetch(`${app.url}/api/auth/revocations/?stream=1`, { headers: service.bearer });
    expect(refused.status).toBe(503);
    await app.close();
    await close();
  });

  it(`sends each Set-Cookie header of a refusal and of an endpoint on ${name}`, async () => {
    const { auth, close } = await createScriptAuth();
    const check = () => ({ ok: false, response: answerWithCookies() }) as const;
    const app = await start({ ...auth, check, fetch: async () => answerWithCookies() });
    for (const path of ["/hello", "/api/token/"]) {
      const response = await fetch(app.url + path);
      expect([response.status, response.headers.getSetCookie(), await response.text()]).toEqual([418, cookies, "no"]);
    }
    await app.close();
    await close();
  });
});

describe.each(frameworks)("the adapter for %s", (name, start) => {
  it.each(ways)(`leaves an error of the handler to the application on ${name}, %s`, async (_, settings) => {
    const { auth, close } = await createScriptAuth(settings);
    const app = await start(auth);
    const { access } = await auth.login(credentials);
    const response = await fetch(`${app.url}/broken`, { headers: { Authorization: `Bearer ${access}` } });
    expect([response.status, await response.text()]).toEqual([500, "handled"]);
    await app.close();
    await close();
  });

  it(`passes an error of check to the application on ${name} instead of hanging`, async () => {
    const { auth, close } = await createScriptAuth();
    for (const check of [() => Promise.reject(new Error("broken")), () => fail()]) {
      const app = await start({ ...auth, check });
      const response = await fetch(`${app.url}/hello`);
      expect([response.status, await response.text()]).toEqual([500, "handled"]);
      await app.close();
    }
    // A rejection without a reason must not pass the request on either.
    const app = await start({ ...auth, check: () => Promise.reject() });
    expect((await fetch(`${app.url}/hello`)).status).toBe(500);
    await app.close();
    await close();
  });
});

describe("the adapters", () => {
  it("leaves the global Request and Response unchanged", () => {
    const before = [globalThis.Request, globalThis.Response];
    forNode.toNodeHandler({ fetch: async () => new Response() });
    expect([globalThis.Request, globalThis.Response]).toEqual(before);
  });
});

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

function startNode(auth: Auth): Promise<RunningApp> {
  const handleAuth = forNode.toNodeHandler(auth);
  const authenticate = forNode.requireUser(auth);
  const startSession = forNode.sessionStarter(auth);
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
    const user = await authenticate(req, res);
    if (user !== null) res.end(`hello ${user.userId}`);
  });
}

function startExpress(auth: Auth, parsers: readonly express.RequestHandler[]): Promise<RunningApp> {
  const app = express();
  for (const parser of parsers) app.use(parser);
  app.use(forExpress.cors(auth, corsOptions));
  app.use(forExpress.authRoutes(auth));
  app.get("/own", (_req, res) => void res.vary("Accept").send("the application's own"));
  app.all("/hello", forExpress.requireUser(auth), (req, res) => void res.send(`hello ${req.auth.userId}`));
  const startSession = forExpress.sessionStarter(auth);
  app.get("/start", async (req, res) => {
    res.cookie("own", "1");
    await startSession(req, res, "1", { amr: ["email"] });
    res.redirect(303, "/own");
  });
  app.get("/danger", forExpress.requireUser(auth, danger), (req, res) => void res.send(`by ${req.auth.amr}`));
  app.get("/broken", forExpress.requireUser(auth), fail);
  app.use(((_error, _req, res, _next) => void res.status(500).send("handled")) as express.ErrorRequestHandler);
  return listen(app);
}

async function startFastify(
  auth: Auth,
  onRequest: onRequestHookHandler | onRequestAsyncHookHandler,
): Promise<RunningApp> {
  const app = fastify();
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

async function startHono(
  auth: Auth,
  addGuarded: (app: Hono, path: string, handler: GuardedHandler) => unknown,
): Promise<RunningApp> {
  const app = new Hono();
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
