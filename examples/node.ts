/**
 * Plain Node: `npm run build && npx node examples/node.ts`, then the curl tour of the README on port 3000, with a user of this
 * database: `npx tokenpair users create alice --password-stdin --database sqlite:./data/example.db`.
 */
import { createServer } from "node:http";
import { createAuth } from "tokenpair";
import { requireUser, toNodeListener } from "tokenpair/node";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/example.db");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "a signing key for this example only" });
await auth.ready();

const authRoutes = toNodeListener(auth);
const authenticated = requireUser(auth);

const server = createServer(async (req, res) => {
  if (auth.handles((req.url ?? "/").split("?", 1)[0] ?? "/")) return authRoutes(req, res);
  const user = await authenticated(req, res);
  if (user !== null) res.end(`hello, user ${user.userId}\n`);
});
server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
