import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { toConnection } from "../../adapters/node-parts.ts";
import type { Auth } from "../../auth.ts";
import { ConfigError } from "../config/config-error.ts";
import type { ServerSettings } from "../config/server-settings.ts";
import { toPlainJson } from "../parts/plain-json.ts";
import { trackConnections } from "./connections.ts";
import { answerMalformedRequests, badRequest, type MalformedRequest } from "./malformed-requests.ts";

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
  /** Against clients that are slow on purpose: see the settings. */
  readonly limits: Pick<ServerSettings, "requestTimeout" | "maxConnections">;
}

/** Longer than the minute for which load balancers keep a connection, so that theirs ends first. Milliseconds. */
const keepAliveTimeout = 65_000;

/** Room for three cookies, two of them with a token of 8 KiB. Bytes. */
const maxHeaderSize = 24 * 1024;

/** Milliseconds for which a connection without a running request may still bring one when the server closes. */
const lastCall = 250;

/**
 * Listens on `host` and `port`. Requests that are not HTTP are refused, and never reach `fetch`.
 *
 * @throws ConfigError where the address cannot be had, with what to do.
 */
export async function listen({ fetch, host, port, onMalformed, limits }: ListenOptions): Promise<Listener> {
  const timeout = limits.requestTimeout * 1_000;
  const answer = getRequestListener(
    (request, { incoming }) => fetch(request, toConnection(incoming as IncomingMessage)),
    {
      errorHandler() {
        // The URL that a request names, by its Host header and its target, is none.
        onMalformed({ status: badRequest.status, reason: "URL" });
        return toPlainJson(badRequest.status, badRequest.body, { Connection: "close" });
      },
    },
  );
  const server = createServer(
    {
      requestTimeout: timeout,
      headersTimeout: timeout / 2,
      connectionsCheckingInterval: timeout / 10,
      keepAliveTimeout,
      maxHeaderSize,
      // Without a host there is no URL, which is answered below and, unlike Node's own answer, in JSON.
      requireHostHeader: false,
    },
    (request, response) => {
      if (connections.admit(request, response)) void answer(request, response);
    },
  );
  // Who never begins a request, or does not read the answer, is none of the above: nothing moves on the connection.
  server.timeout = timeout;
  server.maxConnections = limits.maxConnections;
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
