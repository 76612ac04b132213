import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { toConnection } from "../adapters/node.ts";
import type { Auth } from "../auth.ts";
import { ConfigError } from "./config-error.ts";
import { answerMalformedRequests, badRequest, type MalformedRequest } from "./malformed-requests.ts";
import { toPlainJson } from "./plain-json.ts";

/** A server that accepts requests. */
export interface Listener {
  /** Such as "http://127.0.0.1:8000", with the port that was taken. */
  readonly url: string;
  /**
   * Stops accepting, lets running requests be answered for up to `patience` milliseconds, and closes every connection.
   */
  close(patience: number): Promise<void>;
}

export interface ListenOptions {
  /** Never rejects. */
  readonly fetch: Auth["fetch"];
  readonly host: string;
  readonly port: number;
  /** Told of every request that was refused before it reached `fetch`. */
  readonly onMalformed: (request: MalformedRequest) => void;
}

/** Against clients that are slow on purpose. Milliseconds. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** Longer than the minute for which load balancers keep a connection, so that theirs ends first. */
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
  /** Room for three cookies, two of them with a token of 8 KiB. Bytes. */
  maxHeaderSize: 24 * 1024,
};

const maxConnections = 10_000;

/** Milliseconds for which a connection without a running request may still bring one when the server closes. */
const lastCall = 250;

/**
 * Listens on `host` and `port`. Requests that are not HTTP are refused, and never reach `fetch`.
 *
 * @throws ConfigError where the address cannot be had, with what to do.
 */
export async function listen({ fetch, host, port, onMalformed }: ListenOptions): Promise<Listener> {
  const server = createServer(
    // Without a host there is no URL, which is answered below and, unlike Node's own answer, in JSON.
    { ...limits, requireHostHeader: false },
    getRequestListener((request, { incoming }) => fetch(request, toConnection(incoming as IncomingMessage)), {
      errorHandler() {
        // The URL that a request names, by its Host header and its target, is none.
        onMalformed({ status: badRequest.status, reason: "URL" });
        return toPlainJson(badRequest.status, badRequest.body, { Connection: "close" });
      },
    }),
  );
  server.maxConnections = maxConnections;
  const connections = trackConnections(server);
  answerMalformedRequests(server, connections.isAnswering, onMalformed);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(toListenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  return Object.freeze({
    url: toUrl(host, server.address() as AddressInfo),
    async close(patience: number) {
      const timers = [
        setTimeout(() => connections.closeWaiting(), Math.min(lastCall, patience)),
        setTimeout(() => server.closeAllConnections(), patience),
      ];
      await new Promise((resolve) => server.close(resolve));
      for (const timer of timers) clearTimeout(timer);
    },
  });
}

/**
 * Knows which connections have a request running. Node closes a connection by itself only where it is idle after a
 * response: not one that has never sent a request, and one with a running request not before its keep-alive time is over.
 */
function trackConnections(server: Server) {
  const running = new Map<Duplex, Set<ServerResponse>>();
  let isClosing = false;
  server.on("connection", (socket) => {
    running.set(socket, new Set());
    socket.once("close", () => running.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    const responses = running.get(socket);
    responses?.add(response);
    response.once("close", () => {
      responses?.delete(response);
      if (isClosing && responses?.size === 0) socket.destroySoon();
    });
  });
  return {
    closeWaiting() {
      isClosing = true;
      for (const [socket, responses] of running) if (responses.size === 0) socket.destroy();
    },
    /** Whether a part of a response has been sent, so that no other can be. */
    isAnswering: (socket: Duplex) => [...(running.get(socket) ?? [])].some((response) => response.headersSent),
  };
}

function toListenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new ConfigError(`port ${port} on ${host} is taken; stop what runs there, or choose another with --port`);
    case "EACCES":
      return new ConfigError(`port ${port} on ${host} is not allowed to this user; choose one above 1023 with --port`);
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
