/** The load generator, in a process of its own: sends requests to a server for some time, and tells how many it answered. */
import autocannon from "autocannon";
import { host, type Served } from "./served.ts";

/** What the process is sent. */
export interface Load extends Served {
  readonly seconds: number;
  /** The path of all requests. Default: "/". */
  readonly path?: string;
}

/** What it sends back. */
export interface LoadResult {
  readonly answered: number;
  readonly failed: number;
  readonly seconds: number;
}

process.on("message", async ({ port, requests, seconds, path = "" }: Load) => {
  const startedAt = performance.now();
  const options = {
    url: `http://${host}:${port}${path}`,
    connections: 32,
    duration: seconds,
    // How often it looks whether it is time to stop, in milliseconds.
    sampleInt: 50,
    requests: requests.map((headers) => ({ headers: { ...headers } })),
  };
  const result = await autocannon(options);
  const answer: LoadResult = {
    answered: result["2xx"],
    failed: result.non2xx + result.errors + result.timeouts,
    seconds: (performance.now() - startedAt) / 1000,
  };
  process.send?.(answer);
});
process.on("disconnect", () => process.exit());
