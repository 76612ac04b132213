import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A host of another site. All browsers resolve its name to this machine. */
export const otherSite = "attacker.example";

/** An attacker's server. It serves the pages of a test under every host name that resolves to this machine. */
export interface Attacker {
  /** Returns a URL on `host` that serves this HTML. */
  readonly serve: (host: string, html: string) => string;
  readonly close: () => Promise<void>;
}

/** Starts a server on a free port. */
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
