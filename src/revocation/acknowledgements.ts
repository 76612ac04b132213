import type { Membership } from "./membership.ts";
import type { ReadersKnowledge } from "./readers/readers-knowledge.ts";

/** Reports to the registry what a node has read, when its readers know it too. */
export interface Acknowledgements {
  /**
   * Reports a complete read. Not awaited.
   *
   * @param nodeId the node's id when the read began.
   * @param isAwaited whether a caller waits for the report.
   */
  report(nodeId: string, seen: string, isAwaited: boolean): void;
}

/** A read that the readers of the node don't know yet. */
interface Pending {
  readonly lastAwaited: number;
  nodeId: string;
  seen: string;
}

/** Creates the acknowledgements of a node. */
export function createAcknowledgements({
  membership,
  readers,
}: {
  readonly membership: Pick<Membership, "id" | "owes" | "acknowledge">;
  readonly readers: ReadersKnowledge;
}): Acknowledgements {
  /** The last of those that wait. The readers get to know them in order. */
  let last: Pending | null = null;

  async function reportLater(pending: Pending, known: Promise<void>): Promise<void> {
    await known;
    if (last === pending) last = null;
    // The first read of a later registration is reported in any case.
    if (membership.id === pending.nodeId) membership.acknowledge(pending.seen, true);
  }

  return {
    report(nodeId, seen, isAwaited) {
      if (!isAwaited && !membership.owes) return;
      const { lastAwaited } = readers;
      if (last?.lastAwaited === lastAwaited) {
        // Nothing has come that the readers must acknowledge.
        Object.assign(last, { nodeId, seen });
        return;
      }
      const known = readers.whenKnown();
      if (known === null) return membership.acknowledge(seen, isAwaited);
      last = { lastAwaited, nodeId, seen };
      void reportLater(last, known);
    },
  };
}
