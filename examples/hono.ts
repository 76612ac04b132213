import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createAuth } from "tokenpair";
import { loadConfig } from "tokenpair/config";
import { authRoutes, requireUser } from "tokenpair/hono";

const auth = createAuth(await loadConfig());
await auth.ready();

const app = new Hono();
app.use(authRoutes(auth));
app.get("/hello", requireUser(auth), (c) => c.text(`hello, user ${c.get("auth").userId}\n`));
serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000) }, (info) => console.log("listening", info));
