import type { Health } from "./auth-results.ts";
import { SchemaVersionError } from "./core/errors.ts";
import type { Deps } from "./flows/deps.ts";
import type { StoreMonitor } from "./flows/store-monitor.ts";
import type { Keys } from "./keys/keys.ts";
import { toKeyStats } from "./node-stats.ts";

const unreadableKeys = "a key in the database can't be decrypted: keyEncryptionKey lacks the key that encrypted it";

/** Returns whether the node can serve. */
export async function checkHealth(
  { clock, feed, settings, store }: Deps,
  { keys, storeMonitor }: { readonly keys: Pick<Keys, "current" | "isReadable">; readonly storeMonitor: StoreMonitor },
): Promise<Health> {
  if (!feed.isLoaded()) return { ok: false, reason: "the revocations are not loaded" };
  if (!feed.isFresh() && settings.onStale !== "lookup") {
    return { ok: false, reason: `the revocations are ${Math.floor(feed.staleness())} s old` };
  }
  if (toKeyStats(keys, clock).kid === null) return { ok: false, reason: "the keys are not known" };
  try {
    await store.checkSchema();
  } catch (error) {
    if (!(error instanceof SchemaVersionError)) return { ok: false, reason: "the store does not answer" };
    // During an upgrade, nodes of the older version keep serving.
    if (!error.isNewer) return { ok: false, reason: "the database is older than this version" };
  }
  if (await storeMonitor.check()) return keys.isReadable() ? { ok: true } : { ok: true, degraded: unreadableKeys };
  const reason = "the store can't be written to";
  // No other node could write either, and this one still answers from memory.
  return store.writes?.isShared ? { ok: true, degraded: reason } : { ok: false, reason };
}
