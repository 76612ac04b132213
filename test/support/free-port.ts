import { createServer } from "node:net";

/**
 * Finds a free port on the loopback interface. Ports below 32,000 are outside the range from which systems take the ports of
 * outgoing connections, so none of those takes the port before, or between two starts of, a test's server.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
