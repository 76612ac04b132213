import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Site } from "./site.ts";

/** The way between a browser and the server, on which an answer can get lost or be late. */
export interface Network {
  readonly origin: string;
  /** From now on the answers to `path` get lost, after the server has given them. */
  readonly lose: (path: string) => void;
  /** The next answer to `path` waits; fulfils when it is there, with the way to let it go on. */
  readonly hold: (path: string) => Promise<() => void>;
  /** Nothing gets lost any more. */
  readonly repair: () => void;
  /** How many answers to `path` the browser has been given. */
  readonly delivered: (path: string) => number;
  readonly close: () => Promise<void>;
}

/** Passes everything on to `site`, byte for byte. */
export async function openNetwork(site: Pick<Site, "port">): Promise<Network> {
  let losing: string | undefined;
  const delivered: (string | undefined)[] = [];
  const holds = new Map<string, (go: () => void) => void>();

  /** What happens to the answer before it goes on; false where it does not. */
  async function passes(path: string | undefined): Promise<boolean> {
    if (path === losing) return false;
    const arrived = path === undefined ? undefined : holds.get(path);
    if (path !== undefined && arrived !== undefined) {
      holds.delete(path);
      await new Promise<void>(arrived);
    }
    return true;
  }

  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
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
    lose: (path) => {
      losing = path;
    },
    hold: (path) => new Promise((arrived) => holds.set(path, arrived)),
    repair: () => {
      losing = undefined;
    },
    delivered: (path) => delivered.filter((other) => other === path).length,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
