import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Somebody else's server. It serves any page that a test wants, under every name that leads to this machine. */
export interface Attacker {
  /** A URL that answers with this HTML; `host` is the name under which the browser finds it. */
  readonly serve: (host: string, html: string) => string;
  readonly close: () => Promise<void>;
}

/** Listens on a port of its own. */
export async function openAttacker(): Promise<Attacker> {
  const pages: string[] = [];
  const server = createServer((request, response) => {
    const html = pages[Number(request.url?.slice(1))];
    response.writeHead(html === undefined ? 404 : 200, { "Content-Type": "text/html; charset=utf-8" });
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    serve: (host, html) => `http://${host}:${port}/${pages.push(html) - 1}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
