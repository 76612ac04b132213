import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Site } from "./site.ts";

/** A proxy between a browser and the server that can drop or delay responses. */
export interface Network {
  readonly origin: string;
  /** Drops the responses to `path` from now on. The server has processed the requests. */
  readonly drop: (path: string) => void;
  /** Delays the next response to `path`. Resolves when it has arrived, with a function that releases it. */
  readonly hold: (path: string) => Promise<() => void>;
  /** Returns how many responses to `path` were dropped. */
  readonly lost: (path: string) => number;
  /** Stops dropping responses. */
  readonly repair: () => void;
  /** Returns how many responses to `path` have reached the browser. */
  readonly delivered: (path: string) => number;
  readonly close: () => Promise<void>;
}

/**
 * Starts a proxy that forwards everything to `site` unchanged.
 *
 * @param prefix is removed from each path. Every other path is answered with 404.
 */
export async function openNetwork(site: Pick<Site, "port">, prefix = ""): Promise<Network> {
  let dropped: string | undefined;
  const delivered: (string | undefined)[] = [];
  const lost: string[] = [];
  const holds = new Map<string, (release: () => void) => void>();

  /** Delays a response if a test wants that. Returns false if the response must be dropped. */
  async function passes(path: string | undefined): Promise<boolean> {
    if (path !== undefined && path === dropped) {
      lost.push(path);
      return false;
    }
    const arrived = path === undefined ? undefined : holds.get(path);
    if (path !== undefined && arrived !== undefined) {
      holds.delete(path);
      await new Promise<void>(arrived);
    }
    return true;
  }

  const server = createServer((incoming, outgoing) => {
    const { method, url: asked = "", headers } = incoming;
    if (!asked.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404).end();
      return;
    }
    const path = asked.slice(prefix.length);
    const onward = request({ port: site.port, method, path, headers }, async (answer: IncomingMessage) => {
      if (!(await passes(path))) {
        answer.resume();
        incoming.destroy();
        return;
      }
      delivered.push(path);
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on("error", () => incoming.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    drop: (path) => {
      dropped = path;
    },
    hold: (path) => new Promise((arrived) => holds.set(path, arrived)),
    lost: (path) => lost.filter((other) => other === path).length,
    repair: () => {
      dropped = undefined;
    },
    delivered: (path) => delivered.filter((other) => other === path).length,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
