/** Express: `npm run build && npx node examples/express.ts`. */
import express from "express";
import { createAuth } from "tokenpair";
import { authRoutes, requireUser } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/example.db");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "a signing key for this example only" });
await auth.ready();

const app = express();
app.use(authRoutes(auth)); // before express.json(), so that tokenpair answers malformed bodies
app.get("/hello", requireUser(auth), (req, res) => {
  res.send(`hello, user ${req.auth.userId}\n`);
});
const server = app
  .listen(Number(process.env["PORT"] ?? 3000))
  .on("listening", () => console.log("listening", server.address()));
