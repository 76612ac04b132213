import { createServer } from "node:http";
import { createAuth } from "tokenpair";
import { loadConfig } from "tokenpair/config";
import { requireUser, toNodeHandler } from "tokenpair/node";

const auth = createAuth(await loadConfig());
await auth.ready();

const handleAuth = toNodeHandler(auth);
const authenticate = requireUser(auth);

const server = createServer(async (req, res) => {
  if (auth.handles(req)) return handleAuth(req, res);
  const user = await authenticate(req, res);
  if (user !== null) res.end(`hello, user ${user.userId}\n`);
});
server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
