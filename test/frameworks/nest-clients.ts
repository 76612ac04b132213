import { once } from "node:events";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const load = createRequire(resolve(import.meta.dirname, "nest/package.json"));

/** A connection to the gateway. */
export interface Connection {
  /** Sends an event, and returns the next event that the server sends. */
  ask(event: string, data: string): Promise<{ readonly event: string; readonly data: unknown }>;
  /** With what the server closed it: a code of WebSockets, or Socket.IO's reason. */
  readonly closed: Promise<unknown>;
}

type Connect = (url: string, access: string) => Promise<Connection>;

/** Returns the ways to open a socket of this kind. */
export function connectors(kind: "ws" | "socket.io"): readonly (readonly [string, Connect])[] {
  if (kind === "ws") {
    return [
      ["a header", (url, access) => connectWebSocket(url, { Authorization: `Bearer ${access}` })],
      [
        "a cookie",
        (url, access) =>
          connectWebSocket(url, {
            Cookie: `__Host-Http-access=${access}`,
            Origin: url,
            "Sec-Fetch-Site": "same-origin",
          }),
      ],
    ];
  }
  return [
    ["a token", (url, token) => connectSocketIo(url, { auth: { token } })],
    ["a header", (url, access) => connectSocketIo(url, { extraHeaders: { Authorization: `Bearer ${access}` } })],
  ];
}

async function connectWebSocket(url: string, headers: Record<string, string>): Promise<Connection> {
  const { WebSocket } = load("ws");
  const socket = new WebSocket(`${url.replace("http", "ws")}/chat`, { headers });
  const closed = once(socket, "close").then(([code]) => code);
  await once(socket, "open");
  return {
    closed,
    async ask(event, data) {
      socket.send(JSON.stringify({ event, data }));
      const [message] = await once(socket, "message");
      return JSON.parse(message);
    },
  };
}

async function connectSocketIo(url: string, options: object): Promise<Connection> {
  const { io } = load("socket.io-client");
  const socket = io(url, { path: "/chat", transports: ["websocket"], reconnection: false, ...options });
  const closed = new Promise((settle) => socket.once("disconnect", settle));
  await new Promise<void>((settle, fail) => socket.once("connect", settle).once("connect_error", fail));
  return {
    closed,
    async ask(event, data) {
      const answer = new Promise<{ event: string; data: unknown }>((settle) => {
        socket.onAny((name: string, sent: unknown) => settle({ event: name, data: sent }));
      });
      socket.emit(event, data);
      const found = await answer;
      socket.offAny();
      return found;
    },
  };
}
