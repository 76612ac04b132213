import fastify from "fastify";
import { createAuth } from "tokenpair";
import { loadConfig } from "tokenpair/config";
import { authRoutes, requireUser } from "tokenpair/fastify";

const auth = createAuth(await loadConfig());
await auth.ready();

const app = fastify();
await app.register(authRoutes(auth));
app.get("/hello", { onRequest: requireUser(auth) }, async (request) => `hello, user ${request.auth.userId}\n`);
await app.listen({ port: Number(process.env["PORT"] ?? 3000) });
console.log("listening", app.server.address());
