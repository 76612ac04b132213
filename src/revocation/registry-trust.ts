import type { FeedState } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { NodeStore } from "../core/store/nodes.ts";

/** Whether the registry of nodes is complete: after a failover it may have lost nodes that still answer from memory. */
export interface RegistryTrust {
  /** Notes the incarnation that an answer has shown. Call it as soon as the answer arrives. */
  observe(state: Pick<FeedState, "incarnation" | "isSettled" | "longestLease">): void;
  /**
   * Returns whether a registry that was asked for at `sentAt`, on the monotonic clock, is complete: a process has known its
   * incarnation for longer than every lease, so every node that was registered elsewhere has registered again or refuses.
   */
  isBelieved(state: Pick<FeedState, "incarnation" | "isSettled" | "longestLease">, sentAt: number): boolean;
  /** Returns the longest lease that is known, in milliseconds. */
  longestLease(): number;
}

/** How much faster than another's a process's clock may run, and milliseconds for the timers. */
const clockError = { rate: 1.002, fixed: 5 };

/** The longest lease before anything is known: the default of `maxStaleness`, in milliseconds. */
const defaultLease = 10_000;

/** Returns for how long to wait so that a lease is over by any clock, in milliseconds. */
export function toWait(lease: number): number {
  return lease * clockError.rate + clockError.fixed;
}

/** Creates the trust of a process that has seen no incarnation. */
export function createRegistryTrust({
  nodes,
  clock,
}: {
  readonly nodes: NodeStore;
  readonly clock: Clock;
}): RegistryTrust {
  let incarnation: string | null = null;
  /** The monotonic clock at the arrival of the first answer that showed the incarnation. */
  let knownSince = Number.POSITIVE_INFINITY;
  let longest = defaultLease;
  let isSettling = false;

  const isKnownLongEnough = (state: Pick<FeedState, "incarnation" | "longestLease">, at: number) =>
    state.incarnation === incarnation && at - knownSince > toWait(Math.max(state.longestLease, longest));

  /** Spares the processes that start later the wait. */
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
