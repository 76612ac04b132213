/**
 * Pages that Hono renders:
 * `npm run build && SIGNING_KEY=$(openssl rand -hex 48) NODE_ENV=development npx node examples/server-rendered/hono.ts`.
 */
import { pathToFileURL } from "node:url";
import { type HttpBindings, serve } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { type Auth, createAuth } from "tokenpair";
import { type AuthEnv, authRoutes, requirePage } from "tokenpair/hono";
import { sqliteStore } from "tokenpair/sqlite";
import { loginPage, notesPage } from "./templates.ts";

type Env = AuthEnv<Auth> & { Bindings: HttpBindings };

/** Node's request, which knows the socket: development cookies need it. */
const toNodeRequest = (c: Context<Env>) => c.env.incoming;

/** Creates the application. */
export function createApp(auth: Auth): Hono<Env> {
  const notes = new Map<string, string[]>();
  const app = new Hono<Env>();
  app.use(authRoutes(auth));

  app.get("/login", async (c) => {
    const { token, cookies } = await auth.csrfToken(toNodeRequest(c));
    for (const cookie of cookies) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
    return c.html(loginPage({ token, next: c.req.query("next"), error: c.req.query("error") }));
  });

  app.use(requirePage(auth, { loginPath: "/login" })); // every route below is for users only

  app.get("/notes", (c) => {
    c.header("Cache-Control", "no-store");
    return c.html(notesPage(notes.get(c.get("auth").userId) ?? []));
  });
  app.post("/notes", async (c) => {
    const { note } = await c.req.parseBody();
    const { userId } = c.get("auth");
    notes.set(userId, [...(notes.get(userId) ?? []), String(note)]);
    return c.redirect("/notes", 303);
  });
  app.post("/logout", async (c) => {
    await auth.logout(c.get("auth"));
    for (const cookie of auth.clearedCookies(toNodeRequest(c))) c.header("Set-Cookie", cookie, { append: true });
    return c.redirect("/login", 303);
  });
  return app;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const store = sqliteStore("data/example.db");
  await store.migrate();
  const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "" });
  await auth.ready();
  if ((await auth.users.findByName("ada")) === null) {
    await auth.users.create({ username: "ada", password: "correct horse battery staple" });
  }
  const app = createApp(auth);
  serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000) }, (info) => console.log("listening", info));
}
