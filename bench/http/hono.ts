import { createAdaptorServer } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { jwt } from "hono/jwt";
import { requireUser } from "../../src/adapters/hono.ts";
import { answer, listen, type Start } from "./served.ts";
import { bearerRequests, createOurs, secret } from "./tokens.ts";

async function serve(check?: MiddlewareHandler) {
  const app = new Hono();
  if (check !== undefined) app.use("/", check);
  app.get("/", (c) => c.json(answer));
  return { port: await listen(createAdaptorServer(app)), requests: bearerRequests() };
}

async function serveOurs(settings = {}) {
  return serve(requireUser(await createOurs(settings)));
}

/** Servers of Hono on `node:http`. */
export const starts: Readonly<Record<string, Start>> = {
  bare: () => serve(),
  "a middleware that does nothing": () => serve((_, next) => next()),
  tokenpair: () => serveOurs(),
  "tokenpair, no cache": () => serveOurs({ verifyCacheSize: 0 }),
  "hono/jwt": () => serve(jwt({ secret, alg: "HS256" })),
};
