/**
 * Pages that Express renders:
 * `npm run build && SIGNING_KEY=$(openssl rand -hex 48) NODE_ENV=development npx node examples/server-rendered/express.ts`.
 */
import { pathToFileURL } from "node:url";
import express from "express";
import { type Auth, createAuth } from "tokenpair";
import { authRoutes, requirePage } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";
import { loginPage, notesPage } from "./templates.ts";

/** Creates the application. */
export function createApp(auth: Auth): express.Express {
  const notes = new Map<string, string[]>();
  const app = express();
  app.use(authRoutes(auth));

  app.get("/login", async (req, res) => {
    const { token, cookies } = await auth.csrfToken(req);
    for (const cookie of cookies) res.append("Set-Cookie", cookie);
    res.set("Cache-Control", "no-store").send(loginPage({ token, next: req.query["next"], error: req.query["error"] }));
  });

  app.use(requirePage(auth, { loginPath: "/login" })); // every route below is for users only

  app.get("/notes", (req, res) => {
    res.set("Cache-Control", "no-store").send(notesPage(notes.get(req.auth.userId) ?? []));
  });
  app.post("/notes", express.urlencoded(), (req, res) => {
    notes.set(req.auth.userId, [...(notes.get(req.auth.userId) ?? []), String(req.body.note)]);
    res.redirect(303, "/notes");
  });
  app.post("/logout", async (req, res) => {
    await auth.logout(req.auth);
    for (const cookie of auth.clearedCookies(req)) res.append("Set-Cookie", cookie);
    res.redirect(303, "/login");
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
  const server = app
    .listen(Number(process.env["PORT"] ?? 3000))
    .on("listening", () => console.log("listening", server.address()));
}
