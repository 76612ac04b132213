/** A node in a process of its own: `node.ts URL SCHEMA [MAX_STALENESS]`. Tells when it learns that the session of a watched token was revoked. */
import { createAuth } from "../../src/index.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";
import { signingKey } from "../refresh/crowd.ts";
import { readSharedClock, type Seen, type Watch } from "./watch.ts";

const [, , connectionString = "", schema = "", maxStaleness = "10"] = process.argv;
const store = postgresStore({ connectionString, schema });
const auth = createAuth({ store, signingKey, maxStaleness: Number(maxStaleness) });
await auth.ready();
process.on("message", async ({ tokens }: Watch) => {
  for (const token of tokens) {
    const claims = await auth.authenticate({ headers: { authorization: `Bearer ${token}` } });
    auth.signal(claims).addEventListener("abort", () => {
      process.send?.({ sessionId: claims.sessionId, at: readSharedClock() } satisfies Seen);
    });
  }
  process.send?.({ watched: tokens.length });
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
