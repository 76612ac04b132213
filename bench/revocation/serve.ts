/**
 * A server in a process of its own: `serve.ts URL MAX_STALENESS`. Tells its port, and how long each confirmation took from the
 * commit on.
 */
import { createServer } from "node:http";
import { toNodeHandler } from "../../src/adapters/node/index.ts";
import { createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { listen } from "../http/served.ts";
import { signingKey } from "../refresh/crowd.ts";

/** How a revocation of the server was confirmed. */
export interface ConfirmedByServer {
  readonly by: string;
  /** Milliseconds. */
  readonly ms: number;
}

const [, , url = "", maxStaleness = ""] = process.argv;
const auth = createAuth({
  store: postgresStore(url),
  signingKey,
  maxStaleness: Number(maxStaleness),
  maxSessionsPerUser: null,
});
await auth.ready();
auth.on((event) => {
  if (event.type !== "revocation_confirmed") return;
  const { by, ms } = event;
  process.send?.({ by, ms } satisfies ConfirmedByServer);
});
process.on("disconnect", () => process.exit());
process.send?.({ port: await listen(createServer(toNodeHandler(auth))) });
