import type { FeedState } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { NodeStore } from "../core/store/nodes.ts";

/**
 * Decides whether the registry of nodes is complete. After a failover, nodes that still answer from memory may be missing
 * from it.
 */
export interface RegistryTrust {
  /** Records the state of the installation that an answer contained. Call it as soon as the answer arrives. */
  observe(state: Pick<FeedState, "incarnation" | "isSettled" | "longestLease">): void;
  /**
   * Returns whether a registry that was requested at `sentAt`, on the monotonic clock, is complete. It is complete if a
   * process has seen its incarnation for longer than every lease. By then, every node that was registered elsewhere has
   * registered again or refuses requests.
   */
  isBelieved(state: Pick<FeedState, "incarnation" | "isSettled" | "longestLease">, sentAt: number): boolean;
  /** Returns the longest known lease, in milliseconds. */
  longestLease(): number;
}

/**
 * The tolerance for differences between clocks: how much faster the clock of another process may run, and a fixed number of
 * milliseconds for timers.
 */
const clockError = { rate: 1.002, fixed: 5 };

/** The longest lease that is assumed before it is known: the default of `maxStaleness`, in milliseconds. */
const defaultLease = 10_000;

/** Returns how long to wait until a lease has ended on every clock, in milliseconds. */
export function toWait(lease: number): number {
  return lease * clockError.rate + clockError.fixed;
}

/** Creates the state of a process that has not seen an incarnation yet. */
export function createRegistryTrust({
  nodes,
  clock,
}: {
  readonly nodes: NodeStore;
  readonly clock: Clock;
}): RegistryTrust {
  let incarnation: string | null = null;
  /** The time, on the monotonic clock, at which the first answer with the current incarnation arrived. */
  let knownSince = Number.POSITIVE_INFINITY;
  let longest = defaultLease;
  let isSettling = false;

  const isKnownLongEnough = (state: Pick<FeedState, "incarnation" | "longestLease">, at: number) =>
    state.incarnation === incarnation && at - knownSince > toWait(Math.max(state.longestLease, longest));

  /** Stores that the registry is complete, so that processes that start later don't have to wait. */
  async function settle(settled: string): Promise<void> {
    isSettling = true;
    // If it fails, the next answer tries again.
    await nodes.settle(settled).catch(() => {});
    isSettling = false;
  }

  return {
    observe(state) {
      const now = clock.monotonic();
      if (state.incarnation !== incarnation) [incarnation, knownSince] = [state.incarnation, now];
      longest = Math.max(longest, state.longestLease);
      if (!state.isSettled && !isSettling && isKnownLongEnough(state, now)) void settle(state.incarnation);
    },
    isBelieved: (state, sentAt) => state.isSettled || isKnownLongEnough(state, sentAt),
    longestLease: () => longest,
  };
}
