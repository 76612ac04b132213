import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A proxy that WebKit uses, because it has no setting for what a host name resolves to. */
export interface HostProxy {
  /** The command-line arguments of a browser that uses it. It is not for the names of this machine. */
  readonly args: readonly string[];
  readonly close: () => void;
}

/** Starts a proxy that sends every request to this machine, to the port of its URL. */
export async function openProxy(): Promise<HostProxy> {
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = "" } = incoming;
    const { port, pathname, search } = new URL(url);
    const onward = request({ port, method, path: pathname + search, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on("error", () => incoming.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const own = ["localhost", "*.localhost", "127.0.0.1"];
  return {
    args: [`--proxy=http://127.0.0.1:${port}`, ...own.map((host) => `--ignore-host=${host}`)],
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
