import type { Auth } from "./auth.ts";
import type { Parts } from "./create-deps.ts";
import { sweepSilentNodes } from "./flows/confirm-earlier.ts";
import { reportLegacyKey } from "./flows/legacy/report.ts";
import { toKeyWarnings } from "./keys/warnings.ts";
import { checkHealth } from "./node-health.ts";
import { toKeyStats, toReaderStats } from "./node-stats.ts";

/**
 * Creates the part of `Auth` that starts and stops this node, and reports its state.
 *
 * @param warn called by `ready` with what is unsafe about the settings: full sentences.
 */
export function createLifecycle(
  { deps, httpDeps, keys, signals, confirmer, auditQueue, storeMonitor, webhook }: Parts,
  warn: (warning: string) => void,
): Pick<Auth, "ready" | "health" | "stats" | "drain" | "close"> {
  function drain(): void {
    deps.readers.stop();
    httpDeps.sessionStreams.stop();
  }

  return {
    ready: async () => {
      if (deps.users.isOwn) await deps.passwords.prepare();
      await deps.store.checkSchema();
      await keys.load();
      for (const warning of toKeyWarnings(keys.current().tokens.access.algorithm, deps.settings)) warn(warning);
      await deps.feed.start();
      await reportLegacyKey(deps);
      webhook?.start();
      sweepSilentNodes(deps, confirmer);
    },
    health: () => checkHealth(deps, { keys, storeMonitor }),
    stats: () => ({
      revocations: { live: deps.revocations.size, staleSeconds: deps.feed.staleness() },
      readers: toReaderStats(deps),
      passwords: deps.passwords.load(),
      store: { isWritable: storeMonitor.isWritable() },
      keys: toKeyStats(keys, deps.clock),
      ...(deps.store.connections === undefined ? {} : { connections: deps.store.connections() }),
    }),
    drain,
    close: async () => {
      drain();
      const left = deps.feed.stop();
      confirmer.stop();
      signals.stop();
      await left;
      await webhook?.stop();
      await storeMonitor.stop();
      await auditQueue.stop();
    },
  };
}
