/**
 * Server-sent events in plain Node that end at a logout and not at a refresh: `npm install && node sse.ts`.
 *
 * In the browser, call `client.ensure()` before each connection, so that the access cookie is valid. An `EventSource` connects
 * again by itself, but doesn't refresh, so connect again yourself:
 *
 *   await client.ensure();
 *   const events = new EventSource("/clock");
 *   events.addEventListener("end", () => {
 *     events.close();
 *     client.refresh(); // finds out whether the user is still logged in
 *   });
 *   events.onerror = () => {
 *     events.close();
 *     connectAgainLater();
 *   };
 */
import { createServer } from "node:http";
import { requireUser, toNodeHandler } from "tokenpair/node";
import { auth } from "./auth.ts";

const handleAuth = toNodeHandler(auth);
const authenticate = requireUser(auth);

const server = createServer(async (req, res) => {
  if (auth.handles(req)) return handleAuth(req, res);
  const user = await authenticate(req, res);
  if (user === null) return;

  const gone = new AbortController();
  res.on("close", () => gone.abort());
  const signal = auth.signal(user, { until: "session", signal: gone.signal });
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const send = () => res.write(`data: ${new Date().toISOString()}\n\n`);
  const timer = setInterval(send, 1_000);
  const end = () => {
    clearInterval(timer);
    res.end("event: end\ndata: logged out\n\n");
  };
  send();
  if (signal.aborted) end();
  else signal.addEventListener("abort", end);
});
server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
