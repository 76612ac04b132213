import type { FeedBatch, FeedState, Revocation } from "../../src/core/revocation.ts";
import type { FeedRead, FeedStore } from "../../src/core/store/feed.ts";
import type { NodeStore, RegistryNode } from "../../src/core/store/nodes.ts";
import type { ManualTime } from "../support/manual-time.ts";

/** A promise, and the function that fulfils it. */
export function createGate() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}

/** A row of the registry. */
type Row = { -readonly [K in keyof RegistryNode]: RegistryNode[K] };

/**
 * A database with one feed and one registry that a test drives by hand: what it knows, and whether and when it answers. An
 * answer that is held back tells what was known when it was asked for.
 */
export function createTestDatabase({ clock }: Pick<ManualTime, "clock">) {
  const entries: Revocation[] = [];
  const rows = new Map<string, Row>();
  const reads: FeedRead[] = [];
  const calls: string[] = [];
  const wakers = new Set<(isAwaited: boolean) => void>();
  const ackWakers = new Set<() => void>();
  let inFlight = 0;

  const database = {
    entries,
    rows,
    reads,
    calls,
    incarnation: "a",
    settled: null as string | null,
    longestLease: 10_000,
    globalEpoch: 0,
    keysVersion: 0,
    hasSynchronousStandby: false,
    batchSize: 100,
    /** The age of every entry, in milliseconds. */
    age: 0 as number | null,
    /** Whether the next read finds that its cursor is another database's. */
    isCursorLost: false,
    mostInFlight: 0,
    /** The methods that fail. */
    failing: new Set<string>(),
    /** What the answers of methods wait for. */
    held: new Map<string, Promise<void>>(),
    reportListening: (_isListening: boolean, _reason?: string) => {},
    /** Appends an entry. @returns the position of its transaction. */
    revoke(sessionId: string, more: Partial<Revocation> = {}): string {
      entries.push({ kind: "session", sessionId, at: clock.now(), ...more } as Revocation);
      return `${database.incarnation}/${entries.length}`;
    },
    wake: (isAwaited = false) => {
      for (const wake of wakers) wake(isAwaited);
    },
    /** Records an acknowledgement of another node, and wakes those who wait for it. */
    acknowledge(id: string, seen?: string): void {
      const row = rows.get(id);
      if (row !== undefined) row.seen = seen ?? `${database.incarnation}/${entries.length}`;
      for (const wake of ackWakers) wake();
    },
    addNode(id: string, more: Partial<Row> = {}) {
      const row = { id, name: null, lease: 10_000, seen: null, isLeaving: false, joinedAt: clock.now(), clockAhead: 0 };
      rows.set(id, { ...row, ...more });
    },
    /** How often a method was called. */
    count: (name: string) => calls.filter((call) => call === name).length,
    get subscribers() {
      return wakers.size;
    },
    get ackSubscribers() {
      return ackWakers.size;
    },
  };

  async function answer<T>(name: string, compute: () => T): Promise<T> {
    calls.push(name);
    if (database.failing.has(name)) throw new TypeError("connect postgres://admin:hunter2@db");
    const result = compute();
    const gate = database.held.get(name);
    if (gate !== undefined) await gate;
    if (database.failing.has(name)) throw new TypeError("connect postgres://admin:hunter2@db");
    return result;
  }

  const toState = (nodeId: string | null): FeedState => {
    const row = nodeId === null ? undefined : rows.get(nodeId);
    return {
      incarnation: database.incarnation,
      membership: row === undefined ? "absent" : row.isLeaving ? "leaving" : "member",
      globalEpoch: database.globalEpoch,
      keysVersion: database.keysVersion,
      isSettled: database.settled === database.incarnation,
      longestLease: database.longestLease,
      hasSynchronousStandby: database.hasSynchronousStandby,
    };
  };

  function toBatch({ after, since, nodeId }: FeedRead): FeedBatch {
    const from = after === null ? 0 : Number(after.split("/")[1]);
    const to = Math.min(entries.length, from + database.batchSize);
    const found = entries.slice(from, to);
    const revocations = after === null ? found.filter(({ until = Infinity }) => until >= since) : found;
    const position = `${database.incarnation}/${to}`;
    const place = { history: database.incarnation, horizon: BigInt(to + 1) };
    const toIndex = (revocation: Revocation) => BigInt(entries.indexOf(revocation) + 1);
    const isCursorLost = after !== null && database.isCursorLost;
    if (isCursorLost) database.isCursorLost = false;
    return {
      revocations: isCursorLost ? [] : revocations,
      positions: isCursorLost ? [] : revocations.map(toIndex),
      place,
      cursor: position,
      more: !isCursorLost && to < entries.length,
      seen: position,
      state: toState(nodeId),
      isCursorLost,
      ...(after === null ? {} : { ages: revocations.map(() => database.age) }),
    };
  }

  const feed: FeedStore = {
    async read(options) {
      reads.push(options);
      database.mostInFlight = Math.max(database.mostInFlight, ++inFlight);
      try {
        return await answer("read", () => toBatch(options));
      } finally {
        inFlight--;
      }
    },
    subscribe(wake, onListening) {
      wakers.add(wake);
      if (onListening !== undefined) database.reportListening = onListening;
      return () => wakers.delete(wake);
    },
    revokeToken: async () => {
      throw new Error("not used");
    },
    isRevoked: async () => false,
  };

  const nodes: NodeStore = {
    register: (node) =>
      answer("register", () => {
        database.addNode(node.id, { name: node.name, lease: node.lease });
        return { incarnation: database.incarnation, databaseTime: clock.wall() };
      }),
    acknowledge: (id, { seen, clockAhead }) =>
      answer("acknowledge", () => {
        const row = rows.get(id);
        if (row !== undefined) Object.assign(row, { seen, clockAhead });
      }),
    readRegistry: () =>
      answer("look", () => {
        const { incarnation, isSettled, longestLease } = toState(null);
        return { incarnation, isSettled, longestLease, nodes: [...rows.values()].map((row) => ({ ...row })) };
      }),
    hasCommit: (position) => answer("hasCommit", () => Number(position.split("/")[1]) <= entries.length),
    covers: (seen, position) => Number(seen.split("/")[1]) >= Number(position.split("/")[1]),
    toIncarnation: (position) => position.split("/")[0] ?? "",
    markLeaving: (id) =>
      answer("markLeaving", () => {
        const row = rows.get(id);
        if (row === undefined) return null;
        row.isLeaving = true;
        return row.lease;
      }),
    remove: (id) => answer("remove", () => void rows.delete(id)),
    removeLeaving: (id) =>
      answer("removeLeaving", () => {
        if (rows.get(id)?.isLeaving === true) rows.delete(id);
      }),
    settle: (incarnation) =>
      answer("settle", () => {
        if (incarnation === database.incarnation) database.settled = incarnation;
      }),
    raiseGlobalEpoch: (epoch) =>
      answer("raiseGlobalEpoch", () => {
        database.globalEpoch = Math.max(database.globalEpoch, epoch);
      }),
    raiseLease: (id, lease) =>
      answer("raiseLease", () => {
        const row = rows.get(id);
        if (row === undefined || row.isLeaving) return false;
        row.lease = Math.max(row.lease, lease);
        database.longestLease = Math.max(database.longestLease, lease);
        return true;
      }),
    subscribe(wake) {
      ackWakers.add(wake);
      return () => ackWakers.delete(wake);
    },
  };

  return Object.assign(database, { feed, nodes });
}
