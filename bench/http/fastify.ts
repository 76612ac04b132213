import fastifyJwt from "@fastify/jwt";
import createFastify, { type FastifyInstance, type onRequestHookHandler } from "fastify";
import { requireUser } from "../../src/adapters/fastify/index.ts";
import { answer, host, type Start } from "./served.ts";
import { bearerRequests, createOurs, secret } from "./tokens.ts";

async function serve(app: FastifyInstance, onRequest: onRequestHookHandler[] = []) {
  app.get("/", { onRequest }, async () => answer);
  const port = Number(new URL(await app.listen({ port: 0, host })).port);
  return { port, requests: bearerRequests() };
}

async function serveOurs(settings = {}) {
  return serve(createFastify(), [requireUser(await createOurs(settings))]);
}

async function serveFastifyJwt(cache: boolean) {
  const app = createFastify();
  await app.register(fastifyJwt, { secret, verify: { algorithms: ["HS256"], cache } });
  return serve(app, [(request) => request.jwtVerify()]);
}

/** Servers of Fastify. */
export const starts: Readonly<Record<string, Start>> = {
  bare: () => serve(createFastify()),
  "a hook that does nothing": () => serve(createFastify(), [(_request, _reply, done) => done()]),
  tokenpair: () => serveOurs(),
  "tokenpair, no cache": () => serveOurs({ verifyCacheSize: 0 }),
  "@fastify/jwt, cache": () => serveFastifyJwt(true),
  "@fastify/jwt": () => serveFastifyJwt(false),
};
