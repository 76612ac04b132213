import express from "express";
import { createAuth } from "tokenpair";
import { loadConfig } from "tokenpair/config";
import { authRoutes, requireUser } from "tokenpair/express";

const auth = createAuth(await loadConfig());
await auth.ready();

const app = express();
app.use(authRoutes(auth)); // login, refresh, logout; before any body parser
app.get("/hello", requireUser(auth), (req, res) => {
  res.send(`hello, user ${req.auth.userId}\n`);
});
const server = app
  .listen(Number(process.env["PORT"] ?? 3000))
  .on("listening", () => console.log("listening", server.address()));
