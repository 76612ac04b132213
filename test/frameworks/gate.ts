import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that has passed the gate. */
export interface Passed {
  readonly method: string;
  /** The path with its query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly status: number;
}

/** A server between the browser and the application, which sees every request and can lose responses. */
export interface Gate {
  readonly origin: string;
  /** The requests that were answered since `forget`. */
  readonly passed: readonly Passed[];
  readonly forget: () => void;
  /** Loses the next response to a path that begins with this: the application has answered, but the browser gets nothing. */
  readonly loseNext: (path: string) => void;
  /** Loses every response to a path that begins with this; none from then on, if it is `undefined`. */
  readonly loseAll: (path: string | undefined) => void;
  readonly close: () => Promise<void>;
}

/** How a gate connects to the application. */
export interface GateOptions {
  /** Headers that it sets, as a proxy does. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The address that it connects from. */
  readonly localAddress?: string;
}

/** Opens a gate to a port of this machine. */
export async function openGate(port: number, { headers: added, localAddress }: GateOptions = {}): Promise<Gate> {
  const passed: Passed[] = [];
  let lost: string | undefined;
  let isOnce = false;
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", url = "/" } = incoming;
    const headers = { ...incoming.headers, ...added };
    const host = localAddress === undefined ? "localhost" : "127.0.0.1";
    const target = { host, port, method, path: url, headers, agent: false as const };
    const upstream = request(localAddress === undefined ? target : { ...target, localAddress }, (response) => {
      passed.push({ method, url, headers, status: response.statusCode ?? 0 });
      if (lost === undefined || !url.startsWith(lost)) return forward(response, outgoing);
      if (isOnce) lost = undefined;
      response.resume();
      response.once("end", () => incoming.socket.destroy());
    });
    upstream.once("error", () => outgoing.destroy());
    outgoing.once("close", () => upstream.destroy());
    incoming.pipe(upstream);
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    passed,
    forget: () => void passed.splice(0),
    loseNext(path) {
      lost = path;
      isOnce = true;
    },
    loseAll(path) {
      lost = path;
      isOnce = false;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function forward(response: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(response.statusCode ?? 502, response.headers);
  response.pipe(outgoing);
}
