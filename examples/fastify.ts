/** Fastify: `npm run build && npx node examples/fastify.ts`. */
import fastify from "fastify";
import { createAuth } from "tokenpair";
import { authRoutes, requireUser } from "tokenpair/fastify";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/example.db");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "a signing key for this example only" });
await auth.ready();

const app = fastify();
await app.register(authRoutes(auth));
app.get("/hello", { onRequest: requireUser(auth) }, async (request) => `hello, user ${request.auth.userId}\n`);
await app.listen({ port: Number(process.env["PORT"] ?? 3000) });
console.log("listening", app.server.address());
