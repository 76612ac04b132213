/**
 * An issuer in a process of its own: `serve.ts RECORDS`. Tells its port and a credential for the feed, and answers each message: it
 * revokes a token, or tells what the process has used.
 */
import { createServer } from "node:http";
import { toNodeHandler } from "../../src/adapters/node/index.ts";
import { systemRandom } from "../../src/core/runtime/random.ts";
import { createServiceCredential } from "../../src/crypto/service-credential.ts";
import { createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { collectGarbage } from "../harness/memory.ts";
import { listen } from "../http/served.ts";
import { signingKey } from "../refresh/crowd.ts";
import { readSharedClock } from "../revocation/watch.ts";

/** What the issuer tells at its start. */
export interface Issuer {
  readonly port: number;
  readonly credential: string;
}

/** What the issuer is asked. */
export type Question = "revoke" | "usage" | "peak";

/** When a revocation was committed, on `readSharedClock`. */
export interface Revoked {
  readonly at: number;
}

/** What the process has used. */
export interface Usage {
  /** Bytes that are resident: after a collection of garbage or, for `peak`, at most since the last question. */
  readonly resident: number;
  /** Microseconds. */
  readonly cpu: number;
  /** Connections that are open. */
  readonly connections: number;
}

const [, , records = "0"] = process.argv;
const store = sqliteStore(":memory:");
await store.migrate();
for (let from = 0; from < Number(records); from += 1_000) {
  await Promise.all(Array.from({ length: 1_000 }, (_, index) => store.feed.revokeToken(`token ${from + index}`)));
}
const auth = createAuth({ store, signingKey });
await auth.ready();
const { credential, hash: credentialHash, prefix } = createServiceCredential(systemRandom);
await store.services.create({ name: "bench", scopes: ["feed"], credentialHash, prefix });
const server = createServer(toNodeHandler(auth));
const port = await listen(server);

let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20).unref();

async function revoke(): Promise<Revoked> {
  await auth.revokeToken(`revoked ${Math.random()}`, { confirmed: false });
  return { at: readSharedClock() };
}

async function tellUsage(question: Question): Promise<Usage> {
  if (question === "usage") for (let i = 0; i < 3; i++) collectGarbage();
  const { user, system } = process.cpuUsage();
  const connections = await new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  const resident = question === "usage" ? process.memoryUsage.rss() : Math.max(peak, process.memoryUsage.rss());
  peak = 0;
  return { resident, cpu: user + system, connections };
}

process.on("message", async ({ question }: { readonly question: Question }) => {
  process.send?.(question === "revoke" ? await revoke() : await tellUsage(question));
});
process.on("disconnect", () => process.exit());
process.send?.({ port, credential } satisfies Issuer);
