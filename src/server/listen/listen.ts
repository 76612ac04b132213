import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, type Socket, Server as TcpServer } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createVersionedListener } from "../../adapters/node/listener.ts";
import { toConnection } from "../../adapters/node/parts.ts";
import { hasDotSegment } from "../../adapters/node/paths.ts";
import type { ConnectionInfo } from "../../http/request/client-ip.ts";
import { ConfigError } from "../config/config-error.ts";
import type { ServerSettings } from "../config/server-settings.ts";
import { toStandardJson } from "../handlers/standard-json.ts";
import { answerMalformedRequests, badRequest, type MalformedRequest } from "./malformed-requests.ts";
import { trackSockets } from "./sockets.ts";

/** A server that accepts requests. */
export interface Listener {
  /** The URL with the actual port, for example "http://127.0.0.1:8000". */
  readonly url: string;
  /**
   * Asks all clients, with `Connection: close` in every response, to send their next request over a new connection. A load
   * balancer then chooses another node for it. Continues to accept connections.
   */
  retire(): void;
  /**
   * Stops accepting connections, waits for running requests, and closes all sockets. A request that a client has sent before is
   * answered, also on an idle socket.
   *
   * @param timeout how long to wait for running requests, in milliseconds.
   */
  close(timeout: number): Promise<void>;
}

/** The options of `listen`. */
export interface ListenOptions {
  /** Answers all requests. It must never reject. */
  readonly fetch: (request: Request, connection?: ConnectionInfo, socket?: Socket) => Promise<Response>;
  /** The address or host name to listen on. */
  readonly host: string;
  /** The port to listen on. 0 means any free port. */
  readonly port: number;
  /** Called for every request that is refused before it reaches `fetch`. */
  readonly onMalformed: (request: MalformedRequest) => void;
  /** Limits for slow and hostile clients. */
  readonly limits: Pick<ServerSettings, "requestTimeout" | "maxConnections">;
}

/**
 * How long an idle socket stays open, in milliseconds. This is longer than in load balancers (60 s), because the load
 * balancer must close the socket first.
 */
const keepAliveTimeout = 65_000;

/** The maximum size of the headers, in bytes. It is enough for three cookies, two of which contain a token of 8 KiB. */
const maxHeaderSize = 24 * 1024;

/** How many connections the kernel holds until the server accepts them: Node's default. */
const backlog = 511;

/** How long an idle socket may still send a request after `close()` was called, in milliseconds. */
const idleGracePeriod = 250;

/**
 * Listens on `host` and `port`. Refuses requests that aren't valid HTTP.
 *
 * @throws ConfigError if the server can't listen there. The message says what to do.
 */
export async function listen({ fetch, host, port, onMalformed, limits }: ListenOptions): Promise<Listener> {
  const timeout = limits.requestTimeout * 1_000;
  const refuse = (reason: string): Response => {
    onMalformed({ status: badRequest.status, reason });
    return toStandardJson(badRequest.status, badRequest.body, { Connection: "close" });
  };
  const answer = createVersionedListener((options) =>
    getRequestListener(
      (request, { incoming }) =>
        hasTwoHosts(incoming as IncomingMessage)
          ? refuse("HOST")
          : hasDotSegment(incoming as IncomingMessage)
            ? refuse("URL")
            : fetch(request, toConnection(incoming as IncomingMessage), incoming.socket as Socket),
      // The Host header and the target of the request don't make a valid URL.
      { ...options, errorHandler: () => refuse("URL") },
    ),
  );
  const server = createServer(
    {
      requestTimeout: timeout,
      headersTimeout: timeout / 2,
      connectionsCheckingInterval: timeout / 10,
      keepAliveTimeout,
      maxHeaderSize,
      // Node would answer a request without Host in plain text. `errorHandler` answers it in JSON, as it has no URL.
      requireHostHeader: false,
    },
    (request, response) => {
      if (sockets.admit(request, response)) void answer(request, response);
    },
  );
  // The timeouts above don't cover a client that never begins a request or doesn't read the response.
  server.timeout = timeout;
  server.maxConnections = limits.maxConnections;
  const sockets = trackSockets(server);
  // A long poll may take longer.
  server.on("timeout", (socket) => {
    if (!sockets.isWaiting(socket)) socket.destroy();
  });
  answerMalformedRequests(server, sockets.isAnswering, onMalformed);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(toListenError(error, host, port)));
    server.listen({ port, host, backlog }, resolve);
  });
  return Object.freeze({
    url: toUrl(host, server.address() as AddressInfo),
    retire: sockets.retire,
    async close(closeTimeout: number) {
      const endsAt = performance.now() + closeTimeout;
      sockets.retire();
      await acceptWaiting(server, endsAt);
      const left = Math.max(0, endsAt - performance.now());
      const closeIdle = async (): Promise<void> => {
        // After a pause of the process, a timer runs before what has arrived meanwhile is read.
        await turnEventLoop();
        sockets.closeIdle();
      };
      const timers = [
        setTimeout(closeIdle, Math.min(idleGracePeriod, left)),
        setTimeout(() => server.closeAllConnections(), left),
      ];
      // Not `server.close`, which would close idle sockets at once, on which a request may be under way.
      await new Promise<void>((resolve) => TcpServer.prototype.close.call(server, () => resolve()));
      for (const timer of timers) clearTimeout(timer);
      // Stops looking for slow requests.
      server.close();
    },
  });
}

/**
 * Accepts the connections that wait in the kernel's queue, which would be reset when the server stops listening. Node accepts
 * one in each turn of the event loop. Stops after as many as the queue can hold, although clients may keep connecting, and when
 * `performance.now()` has reached `endsAt`.
 */
async function acceptWaiting(server: Server, endsAt: number): Promise<void> {
  let accepted = 0;
  const onConnection = (): void => {
    accepted += 1;
  };
  server.on("connection", onConnection);
  for (let before = -1; before < accepted && accepted < backlog && performance.now() < endsAt; ) {
    before = accepted;
    await turnEventLoop();
  }
  server.off("connection", onConnection);
}

/** Lets the event loop turn a few times, so that it handles what the kernel has already received. */
async function turnEventLoop(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}

/**
 * Returns whether a request has two `Host` headers. Node keeps the first one, but a proxy may have used the other one (RFC
 * 9112 §3.2).
 */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "host").length > 1;
}

function toListenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new ConfigError(`port ${port} on ${host} is in use; stop the other program, or choose a port with --port`);
    case "EACCES":
      return new ConfigError(`permission denied for port ${port} on ${host}; choose a port above 1023 with --port`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new ConfigError(`${host} is not an address of this machine; choose another with --host`);
    default:
      return error;
  }
}

function toUrl(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
