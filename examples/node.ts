/**
 * Plain Node: `npm run build && npx node examples/node.ts`. Then create a user in its database, with
 * `npx tokenpair users create alice --password-stdin --database sqlite:./data/example.db`, and take the README's tour with curl
 * on port 3000.
 */
import { createServer } from "node:http";
import { createAuth } from "tokenpair";
import { requireUser, toNodeHandler } from "tokenpair/node";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/example.db");
await store.migrate();
const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "a signing key for this example only" });
await auth.ready();

const handleAuth = toNodeHandler(auth);
const authenticate = requireUser(auth);

const server = createServer(async (req, res) => {
  if (auth.handles(req)) return handleAuth(req, res);
  const user = await authenticate(req, res);
  if (user !== null) res.end(`hello, user ${user.userId}\n`);
});
server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
