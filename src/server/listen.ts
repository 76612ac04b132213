import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { toConnection } from "../adapters/node.ts";
import type { Auth } from "../auth.ts";
import { ConfigError } from "./config-error.ts";
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
  readonly fetch: Auth["fetch"];
  readonly host: string;
  readonly port: number;
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
 * Listens on `host` and `port`. Requests that are not HTTP are answered 400 and never reach `fetch`.
 *
 * @throws ConfigError where the address cannot be had, with what to do.
 */
export async function listen({ fetch, host, port }: ListenOptions): Promise<Listener> {
  const server = createServer(
    limits,
    getRequestListener((request, { incoming }) => fetch(request, toConnection(incoming as IncomingMessage)), {
      errorHandler: () => toPlainJson(400, { detail: "Bad request.", code: "bad_request" }),
    }),
  );
  server.maxConnections = maxConnections;
  const connections = trackConnections(server);
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
function trackConnections(server: Server): { readonly closeWaiting: () => void } {
  const running = new Map<Socket, number>();
  let isClosing = false;
  server.on("connection", (socket) => {
    running.set(socket, 0);
    socket.once("close", () => running.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    running.set(socket, (running.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const rest = (running.get(socket) ?? 1) - 1;
      if (running.has(socket)) running.set(socket, rest);
      if (isClosing && rest === 0) socket.destroySoon();
    });
  });
  return {
    closeWaiting() {
      isClosing = true;
      for (const [socket, count] of running) if (count === 0) socket.destroy();
    },
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
