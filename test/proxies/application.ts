import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request that reached the application behind a proxy. */
export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The length of its body. */
  readonly length: number;
}

/** An application that authenticates nothing itself: it relies on the proxy in front of it. */
export interface Application {
  readonly port: number;
  /** Every request that reached it. */
  readonly received: readonly ReceivedRequest[];
  close(): Promise<void>;
}

/** Starts the application. It answers 200 with an empty body; `/fail` answers 500. */
export async function startApplication(): Promise<Application> {
  const received: ReceivedRequest[] = [];
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    received.push({ method, url, headers, length: (await text(request)).length });
    response.writeHead(url === "/fail" ? 500 : 200).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
