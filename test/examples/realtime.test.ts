import { afterEach, describe, expect, it } from "vitest";
import { post, toPair } from "../support/wire.ts";
import { importFrom, isInstalled, type RunningExample, startExample } from "./running.ts";

const alice = { username: "alice", password: "correct horse battery staple" };

/** A connection to one of the examples. */
interface Connection {
  /** Sends something, and returns what comes back. */
  readonly ask: () => Promise<string>;
  /** Resolves when the server has closed the connection, to what it said. */
  readonly closed: Promise<string>;
  readonly isClosed: () => boolean;
  readonly close: () => void;
}

/** Opens a connection with an access token. Rejects if the server refuses it. */
type Open = (url: string, access: string, headers?: Record<string, string>) => Promise<Connection>;

/** The parts of the packages in examples/realtime that the tests need. */
interface Socket {
  on(event: string, listener: (...values: never[]) => void): void;
  once(event: string, listener: (...values: never[]) => void): void;
  send(text: string): void;
  close(): void;
}
type SocketConstructor = new (url: string, protocols: string[], options: object) => Socket;
interface Io {
  on(event: string, listener: (value: Error & string) => void): void;
  emitWithAck(event: string, value: string): Promise<string>;
  close(): void;
}

function toConnection(closed: Promise<string>, rest: Omit<Connection, "closed" | "isClosed">): Connection {
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  return { ...rest, closed, isClosed: () => isClosed };
}

async function openSocket(url: string, headers: object, protocols: string[] = []): Promise<Socket> {
  const { WebSocket } = await importFrom<{ WebSocket: SocketConstructor }>("realtime", "ws");
  const socket = new WebSocket(url.replace("http:", "ws:"), protocols, { headers });
  await new Promise<void>((resolve, reject) => {
    socket.on("open", () => resolve());
    socket.on("error", (error: Error) => reject(error));
  });
  return socket;
}

const untilClosed = (socket: Socket) =>
  new Promise<string>((resolve) => socket.on("close", (code: number, reason: Buffer) => resolve(`${code} ${reason}`)));
const untilMessage = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once("message", (message: Buffer) => resolve(String(message))));

const opens: Readonly<Record<string, Open>> = {
  async websocket(url, access, headers = {}) {
    const socket = await openSocket(url, { Authorization: `Bearer ${access}`, ...headers });
    const ask = () => {
      const answer = untilMessage(socket);
      socket.send("hello");
      return answer;
    };
    return toConnection(untilClosed(socket), { ask, close: () => socket.close() });
  },

  async sse(url, access) {
    const abort = new AbortController();
    const response = await fetch(`${url}/clock`, {
      headers: { Authorization: `Bearer ${access}` },
      signal: abort.signal,
    });
    if (response.status !== 200) throw new Error(`${response.status}`);
    let text = "";
    let wake = () => {};
    const closed = (async () => {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        wake();
      }
      return text.slice(text.lastIndexOf("event:"));
    })().catch(() => "");
    const ask = async () => {
      const { length } = text;
      while (text.length === length) await new Promise<void>((resolve) => (wake = resolve));
      return text.slice(length);
    };
    return toConnection(closed, { ask, close: () => abort.abort() });
  },

  async "graphql-ws"(url, access) {
    const socket = await openSocket(`${url}/graphql`, {}, ["graphql-transport-ws"]);
    const closed = untilClosed(socket);
    socket.send(JSON.stringify({ type: "connection_init", payload: { token: access } }));
    const first = await Promise.race([untilMessage(socket), closed]);
    if (!first.includes("connection_ack")) throw new Error(first);
    const query = "subscription { clock }";
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query } }));
    return toConnection(closed, { ask: () => untilMessage(socket), close: () => socket.close() });
  },

  async "socket-io"(url, access) {
    const { io } = await importFrom<{ io: (url: string, options: object) => Io }>("realtime", "socket.io-client");
    const socket = io(url, { transports: ["websocket"], auth: { token: access }, reconnection: false });
    await new Promise<void>((resolve, reject) => {
      socket.on("connect", () => resolve());
      socket.on("connect_error", (error) => reject(error));
    });
    const closed = new Promise<string>((resolve) => socket.on("disconnect", resolve));
    return toConnection(closed, { ask: () => socket.emitWithAck("say", "hello"), close: () => socket.close() });
  },
};

describe.skipIf(!isInstalled("realtime"))("the examples of long connections", () => {
  let example: RunningExample | undefined;
  let connection: Connection | undefined;
  afterEach(async () => {
    connection?.close();
    await example?.stop();
    example = undefined;
    connection = undefined;
  });

  const logIn = async (url: string) => toPair(await post(`${url}/api/token/`, alice));

  it.each([
    ["websocket", /says hello/, "4401 logged out"],
    ["sse", /data: 20/, "event: end\ndata: logged out\n\n"],
    ["graphql-ws", /clock/, "4403 logged out"],
    ["socket-io", /says hello/, "io server disconnect"],
  ])("%s continues after refreshes and another session's logout, and closes at its own", async (name, answer, end) => {
    example = await startExample(`realtime/${name}.ts`);
    const { url } = example;
    const [own, other] = [await logIn(url), await logIn(url)];
    connection = await (opens[name] as Open)(url, own.access);
    expect(await connection.ask()).toMatch(answer);
    const refreshed = toPair(await post(`${url}/api/token/refresh/`, { refresh: own.refresh }));
    await post(`${url}/api/token/blacklist/`, { refresh: other.refresh });
    expect(await connection.ask()).toMatch(answer);
    expect(connection.isClosed()).toBe(false);
    await post(`${url}/api/token/blacklist/`, { refresh: refreshed.refresh });
    expect(await connection.closed).toBe(end);
    console.log(`examples: ${name}: continues after a refresh, and closes at a logout`);
  });

  it.each(Object.keys(opens))("%s refuses a connection without a valid token", async (name) => {
    example = await startExample(`realtime/${name}.ts`);
    await expect((opens[name] as Open)(example.url, "no token")).rejects.toThrow();
  });

  it("websocket refuses an upgrade by cookie from a page of another origin, and takes one from its own", async () => {
    example = await startExample("realtime/websocket.ts");
    const { url } = example;
    const { access } = await logIn(url);
    const byCookie = (origin: string) =>
      openSocket(url, { Cookie: `__Host-Http-access=${access}`, Origin: origin }).then((socket) => socket.close());
    await expect(byCookie("http://evil.example")).rejects.toThrow(/40[13]/);
    await byCookie(url);
  });
});
