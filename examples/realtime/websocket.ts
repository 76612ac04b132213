/**
 * A WebSocket server with `ws`, whose sockets close at a logout and not at a refresh: `npm install && node websocket.ts`.
 *
 * In the browser, call `client.ensure()` before each connection, so that the access cookie is valid:
 *
 *   await client.ensure();
 *   const socket = new WebSocket("/echo");
 *   socket.onclose = ({ code }) => (code === 4401 ? client.refresh() : connectAgainLater());
 *
 * After the code 4401, `refresh()` finds out whether the user is still logged in.
 */
import { createServer } from "node:http";
import { toNodeHandler } from "tokenpair/node";
import { WebSocketServer } from "ws";
import { auth } from "./auth.ts";

const server = createServer(toNodeHandler(auth));
const sockets = new WebSocketServer({ noServer: true });

server.on("upgrade", async (req, socket, head) => {
  // Also refuses upgrades by cookie from pages of other origins.
  const checked = await auth.check(req);
  if (!checked.ok) return void socket.end(`HTTP/1.1 ${checked.response.status} Refused\r\nConnection: close\r\n\r\n`);
  const { authentication } = checked;

  sockets.handleUpgrade(req, socket, head, (ws) => {
    const gone = new AbortController();
    ws.on("close", () => gone.abort());
    const signal = auth.signal(authentication, { until: "session", signal: gone.signal });
    const close = () => ws.close(4401, "logged out");
    if (signal.aborted) return close();
    signal.addEventListener("abort", close);

    ws.on("message", (message) => ws.send(`${authentication.userId} says ${message}`));
  });
});

server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
