import type { Clock } from "../core/runtime/clock.ts";
import type { NodeStore, RegistryNode, RegistrySnapshot } from "../core/store/nodes.ts";
import { toWait } from "./registry-trust.ts";

/**
 * Removes silent nodes from the registry in two steps, so that they delay confirmations only for a short time. First, a
 * node is marked as leaving. It must then register again before its reads count. If it hasn't done so by the end of its
 * lease, it is removed.
 */
export interface Sweeper {
  /** Marks nodes as leaving. Never rejects. */
  mark(silent: readonly RegistryNode[]): Promise<void>;
  /**
   * Removes the nodes that have been leaving for longer than their lease, according to `registry`. It doesn't matter which
   * process marked them. Never rejects.
   */
  sweep(registry: RegistrySnapshot): Promise<void>;
  /** Returns the number of milliseconds until a node may be ready to be removed, or `null` if no node is leaving. */
  toNextSweep(): number | null;
}

/** When a node was first seen as leaving, and how long it must stay so. Both are in milliseconds on the monotonic clock. */
interface Leaving {
  readonly since: number;
  readonly wait: number;
}

/** Creates the sweeper of a process. */
export function createSweeper({ nodes, clock }: { readonly nodes: NodeStore; readonly clock: Clock }): Sweeper {
  const leaving = new Map<string, Leaving>();

  const note = ({ id, lease }: Pick<RegistryNode, "id" | "lease">) => {
    if (!leaving.has(id)) leaving.set(id, { since: clock.monotonic(), wait: toWait(lease) });
  };

  return {
    async mark(silent) {
      for (const node of silent) {
        try {
          // Its lease may have grown since the read. It can't any more.
          const lease = node.isLeaving ? node.lease : await nodes.markLeaving(node.id);
          if (lease !== null) note({ id: node.id, lease });
        } catch {
          // Another read shows it again.
        }
      }
    },

    async sweep(registry) {
      const seen = registry.nodes.filter(({ isLeaving }) => isLeaving);
      const ids = new Set(seen.map(({ id }) => id));
      for (const id of leaving.keys()) if (!ids.has(id)) leaving.delete(id);
      for (const node of seen) note(node);
      const now = clock.monotonic();
      for (const [id, { since, wait }] of leaving) {
        if (now - since <= wait) continue;
        try {
          await nodes.removeLeaving(id);
          leaving.delete(id);
        } catch {
          // Another read shows it again.
        }
      }
    },

    toNextSweep() {
      if (leaving.size === 0) return null;
      const now = clock.monotonic();
      return Math.max(
        1,
        Math.ceil(Math.min(...[...leaving.values()].map(({ since, wait }) => since + wait - now)) + 1),
      );
    },
  };
}
