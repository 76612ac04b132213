import { randomUUID } from "node:crypto";
import type { Clock } from "../core/runtime/clock.ts";
import type { NewNode, NodeStore, RegisteredNode } from "../core/store/nodes.ts";

/** A node's place in the registry. */
export interface Membership {
  /** The id of the current registration, or `null` if the node is not registered. */
  readonly id: string | null;
  /** The incarnation of the database in which the node is registered. */
  readonly incarnation: string | null;
  /** The lease that the registry has for the node, or will have when it registers: its own, or a longer one of its readers. Milliseconds. */
  readonly lease: number;
  /** Whether a report is owed in any case: the first of a registration, and one that failed. */
  readonly owes: boolean;
  /**
   * Fulfils when the registry has a lease of at least `ms` milliseconds for the registration, unless that is a registration no
   * more. The next one has it from its beginning.
   *
   * @throws what the store throws.
   */
  raise(ms: number): Promise<void>;
  /** Returns the id, after registering if necessary. A read may count only if it begins after this promise fulfils. */
  ensure(): Promise<string>;
  /** Notes that a read counts under the registration: until its lease is over, confirmations must wait for its row. */
  noteCountedRead(): void;
  /**
   * Forgets the registration, because the database has marked it as leaving, has lost it, or has been replaced. Removes its
   * row if no read has counted.
   */
  drop(): void;
  /**
   * Reports what a complete read has brought into force. Not awaited. If the report fails, the next call sends a newer one.
   *
   * @param isAwaited whether a caller waits for it. A report that is owed is sent in any case.
   */
  acknowledge(seen: string, isAwaited: boolean): void;
  /**
   * Removes the node from the registry, for good. If its readers may still accept tokens, it is only marked as leaving. Never
   * rejects: if the database doesn't answer, another node does the rest.
   */
  leave(): Promise<void>;
}

/** The options of `createMembership`. */
export interface MembershipOptions extends Omit<NewNode, "id"> {
  readonly nodes: NodeStore;
  readonly clock: Clock;
  /** Returns whether no reader relies on this process any more. Default: it has no readers. */
  readonly areReadersOver?: () => boolean;
}

/** Creates the membership of a node that is not registered yet. */
export function createMembership({
  nodes,
  clock,
  areReadersOver = () => true,
  ...node
}: MembershipOptions): Membership {
  let id: string | null = null;
  /** The lease that the registry has, and the one that it should have. */
  let lease = node.lease;
  let wantedLease = node.lease;
  let raising: Promise<void> | null = null;
  let registered: RegisteredNode | null = null;
  let clockAhead = 0;
  /** The position that must still be reported, or `null` if there is none. */
  let owed: string | null = null;
  let isFirst = false;
  let hasCounted = false;
  let isSending = false;
  let isOver = false;

  async function register(): Promise<string> {
    // A new id each time: a read that was sent under an earlier registration must not count for this one.
    const newId = randomUUID();
    const sentAt = clock.wall();
    const newLease = wantedLease;
    const result = await nodes.register({ id: newId, ...node, lease: newLease });
    clockAhead = Math.round((sentAt + clock.wall()) / 2 - result.databaseTime);
    if (isOver) {
      await nodes.remove(newId);
      throw new Error("the node has left");
    }
    [id, registered, owed, isFirst, hasCounted] = [newId, result, null, true, false];
    lease = newLease;
    return newId;
  }

  async function raiseLease(registration: string): Promise<void> {
    const newLease = wantedLease;
    // If the node is leaving, its next read finds that out.
    const isRaised = await nodes.raiseLease(registration, newLease);
    if (isRaised && id === registration) lease = newLease;
  }

  async function send(): Promise<void> {
    isSending = true;
    try {
      while (owed !== null && id !== null) {
        const [sender, seen] = [id, owed];
        await nodes.acknowledge(sender, { seen, clockAhead });
        if (id === sender && owed === seen) owed = null;
      }
    } catch {
      // The next read sends it again.
    } finally {
      isSending = false;
    }
  }

  return {
    get id() {
      return id;
    },
    get incarnation() {
      return registered?.incarnation ?? null;
    },
    get lease() {
      return lease;
    },
    get owes() {
      return isFirst || owed !== null;
    },
    async raise(ms) {
      wantedLease = Math.max(wantedLease, ms);
      if (id === null || lease >= ms) return;
      // Of many at once, one is enough. If it began with a shorter lease, the caller notices and tries again.
      raising ??= raiseLease(id).finally(() => {
        raising = null;
      });
      await raising;
    },
    ensure: async () => id ?? (await register()),
    noteCountedRead() {
      hasCounted = true;
    },
    drop() {
      // Nothing depends on the row if no read has counted, and it would delay confirmations. Otherwise, it is removed like that
      // of any silent node: the first acknowledgement may have to wait for readers, while the lease lasts.
      if (id !== null && !hasCounted) void nodes.remove(id).catch(() => {});
      [id, registered, owed] = [null, null, null];
    },
    acknowledge(seen, isAwaited) {
      if (!isAwaited && !isFirst && owed === null) return;
      isFirst = false;
      owed = seen;
      if (!isSending) void send();
    },
    async leave() {
      isOver = true;
      const last = id;
      [id, owed] = [null, null];
      if (last === null) return;
      const left = areReadersOver() ? nodes.remove(last) : nodes.markLeaving(last);
      await left.catch(() => {});
    },
  };
}
