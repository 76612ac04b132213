import { once } from "node:events";
import { createRequire } from "node:module";
import { resolve } from "node:path";

export const load = createRequire(resolve(import.meta.dirname, "nest/package.json"));

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

/** Opens a socket of `graphql-ws`, and initializes it. Resolves also if the server closes it instead. */
export async function connectGraphql(
  url: string,
  { headers = {}, payload }: { readonly headers?: Record<string, string>; readonly payload?: object },
) {
  const { WebSocket } = load("ws");
  const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, ["graphql-transport-ws"], { headers });
  const closed = new Promise<number>((settle) => socket.once("close", settle));
  const messages: { readonly type: string; readonly payload?: unknown }[] = [];
  let wake = () => {};
  socket.on("message", (message: Buffer) => {
    messages.push(JSON.parse(String(message)));
    wake();
  });
  const until = async (type: string) => {
    for (;;) {
      const found = messages.find((message) => message.type === type);
      if (found !== undefined) return found.payload;
      await new Promise<void>((settle) => (wake = settle));
    }
  };
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload }));
  await Promise.race([until("connection_ack"), closed]);
  const subscribe = (query: string) => socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query } }));
  return { closed, until, subscribe, forget: () => messages.splice(0), close: () => socket.close() };
}

/** Opens a WebSocket. */
export async function connectWebSocket(url: string, headers: Record<string, string>): Promise<Connection> {
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

/** Opens a socket of Socket.IO. */
export async function connectSocketIo(url: string, options: object, path = "/chat"): Promise<Connection> {
  const { io } = load("socket.io-client");
  const socket = io(url, { path, transports: ["websocket"], reconnection: false, ...options });
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
