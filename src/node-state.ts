import type { Health, Stats } from "./auth-results.ts";
import { AuthError, SchemaVersionError } from "./core/errors.ts";
import type { Clock } from "./core/runtime/clock.ts";
import { appendProbe } from "./flows/confirm-earlier.ts";
import type { Deps } from "./flows/deps.ts";
import type { StoreMonitor } from "./flows/store-monitor.ts";
import type { Keys } from "./keys/keys.ts";
import type { Confirmer } from "./revocation/confirm.ts";

/**
 * Revokes a token that doesn't exist and confirms the revocation. This finds and removes a crashed node before a caller has
 * to wait for it.
 */
export function sweepSilentNodes(deps: Deps, confirmer: Confirmer): void {
  void appendProbe(deps)
    .then((position) => confirmer.confirm(position, { isProbe: true }))
    // Then the first confirmed revocation finds them.
    .catch(() => {});
}

const unreadableKeys = "a key in the database can't be decrypted: keyEncryptionKey lacks the key that encrypted it";

/** Returns the state of this node's keys. */
export function toKeyStats(keys: Pick<Keys, "current" | "isReadable">, { now }: Pick<Clock, "now">): Stats["keys"] {
  try {
    const { tokens, signingSince } = keys.current();
    const { kid, algorithm } = tokens.access;
    const age = signingSince === null ? null : Math.max(0, now() - signingSince);
    return { kid, algorithm, age, isReadable: keys.isReadable() };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return { kid: null, algorithm: null, age: null, isReadable: keys.isReadable() };
  }
}

/** Returns what the readers of the revocation feed cost this node. */
export function toReaderStats({ readers }: Pick<Deps, "readers">): Stats["readers"] {
  const { lag, ...stats } = readers.stats();
  return { ...stats, lagSeconds: lag / 1000 };
}

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
