import { createAdaptorServer } from "@hono/node-server";
import { type Handler, Hono } from "hono";
import { jwt } from "hono/jwt";
import { requireUser } from "../../src/adapters/hono/index.ts";
import { answer, listen, type Start } from "./served.ts";
import { bearerRequests, createOurs, secret } from "./tokens.ts";

const greet: Handler = (c) => c.json(answer);

async function serve(...handlers: readonly Handler[]) {
  const app = new Hono();
  for (const handler of handlers) app.get("/", handler);
  return { port: await listen(createAdaptorServer(app)), requests: bearerRequests() };
}

async function serveOurs(settings = {}) {
  return serve(requireUser(await createOurs(settings)), greet);
}

/** Servers of Hono on `node:http`. */
export const starts: Readonly<Record<string, Start>> = {
  bare: () => serve(greet),
  "a middleware that does nothing": () => serve((_, next) => next(), greet),
  tokenpair: () => serveOurs(),
  "tokenpair, around the handler": async () => serve(requireUser(await createOurs(), greet)),
  "tokenpair, no cache": () => serveOurs({ verifyCacheSize: 0 }),
  "hono/jwt": () => serve(jwt({ secret, alg: "HS256" }), greet),
};
