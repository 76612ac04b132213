/**
 * A Socket.IO server whose sockets disconnect at a logout and not at a refresh: `npm install && node socket-io.ts`.
 *
 * In the browser, the access cookie authenticates the socket. An app sends its access token instead. Socket.IO doesn't connect
 * again by itself after the server has disconnected a socket, so do it yourself if the session is still live:
 *
 *   const socket = io(url, { transports: ["websocket"], auth: async (send) => send({ token: await client.accessToken() }) });
 *   socket.on("disconnect", async (reason) => {
 *     const { status } = await client.refresh();
 *     if (reason === "io server disconnect" && status === "authenticated") socket.connect();
 *   });
 */
import { createServer, type IncomingMessage } from "node:http";
import { Server } from "socket.io";
import { toNodeHandler } from "tokenpair/node";
import { auth } from "./auth.ts";

/** Returns who opens a connection, by the token in its handshake or by the cookie and the headers of its request. */
function authenticate(request: IncomingMessage, token: unknown) {
  if (typeof token !== "string") return auth.authenticate(request);
  return auth.authenticate(new Headers({ Authorization: `Bearer ${token}` }), { method: "GET" });
}

const server = createServer(toNodeHandler(auth));
// WebSockets only: for their upgrades, tokenpair checks which page sent them. Polling doesn't have this check.
const io = new Server(server, { transports: ["websocket"] });

io.use(async (socket, next) => {
  try {
    const authentication = await authenticate(socket.request, socket.handshake.auth["token"]);
    const gone = new AbortController();
    socket.on("disconnect", () => gone.abort());
    const signal = auth.signal(authentication, { until: "session", signal: gone.signal });
    signal.throwIfAborted();
    signal.addEventListener("abort", () => socket.disconnect(true));
    socket.data.userId = authentication.userId;
    next();
  } catch {
    next(new Error("not authenticated"));
  }
});

io.on("connection", (socket) => {
  socket.on("say", (message, answer) => answer(`${socket.data.userId} says ${message}`));
});

server.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
