/** Hono on Node: `npm run build && npx node examples/hono.ts`. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createAuth } from "tokenpair";
import { authRoutes, requireUser } from "tokenpair/hono";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/example.db");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "a signing key for this example only" });
await auth.ready();

const app = new Hono();
app.use(authRoutes(auth));
app.get("/hello", requireUser(auth), (c) => c.text(`hello, user ${c.get("auth").userId}\n`));
serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000) }, (info) => console.log("listening", info));
