import { createServer } from "node:net";

/** Up to this many processes of one run have ports of their own. */
const processes = 16;

/** The ports that this process has returned. Their servers may not listen yet, or may be between two starts. */
const returned = new Set<number>();

/**
 * Finds a free port on the loopback interface that no other test gets. Ports below 32,000 are outside the range from which
 * systems take the ports of outgoing connections, so none of those takes the port before, or between two starts of, a test's
 * server.
 */
export async function findFreePort(): Promise<number> {
  const own = Number(process.env["VITEST_POOL_ID"] ?? 0) % processes;
  for (;;) {
    const port = 12_000 + processes * Math.floor(Math.random() * (20_000 / processes)) + own;
    // Long before all are taken, the first ones are free again.
    if (returned.size > 1_000) returned.clear();
    if (returned.has(port)) continue;
    returned.add(port);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
