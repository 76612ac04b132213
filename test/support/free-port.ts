import { createServer } from "node:net";

/**
 * A port of the loopback interface on which nothing listens. From below the range out of which systems take the ports of
 * outgoing connections: one of those would otherwise have it before, or while, whoever asked for it is started anew.
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
