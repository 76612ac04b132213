import type { NodeStore, RegistryNode } from "../../core/store/nodes.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { parsePosition } from "./feed.ts";
import { readInstallation } from "./installation.ts";

const raiseLongest = `UPDATE installation SET longest_access = max(longest_access, :access),
  longest_lease_ms = max(longest_lease_ms, :lease) WHERE longest_access < :access OR longest_lease_ms < :lease`;

const insert = `INSERT INTO nodes (id, name, lease_ms, incarnation, joined_at)
  VALUES (:id, :name, :lease, :incarnation, :now)`;

const raiseLease = `UPDATE nodes SET lease_ms = max(lease_ms, :lease)
  WHERE id = :id AND leaving = 0 AND incarnation = :incarnation`;

const list = `SELECT id, name, lease_ms AS lease, CASE WHEN incarnation = :incarnation THEN seen END AS seen,
  leaving AS isLeaving, joined_at AS joinedAt, clock_ahead_ms AS clockAhead FROM nodes ORDER BY joined_at, id`;

type NodeRow = Omit<RegistryNode, "isLeaving"> & { readonly isLeaving: 0 | 1 };

/** Creates the store of the tables `nodes` and `installation`. */
export function createNodeStore(connection: SqliteConnection): NodeStore {
  const { incarnation } = connection;
  const subscribers = new Set<() => void>();

  function wake(): void {
    for (const subscriber of subscribers) queueMicrotask(() => subscribers.has(subscriber) && subscriber());
  }

  const run = (operation: string, sql: string, parameters: Record<string, string | number | null>): Promise<number> =>
    connection.write(operation, () => Number(connection.prepare(sql).run(parameters).changes));

  return {
    async register({ id, name, lease, accessTokenLifetime: access }) {
      return connection.write("nodes.register", (now) => {
        connection.prepare(raiseLongest).run({ access, lease });
        connection.prepare(insert).run({ id, name, lease, incarnation, now });
        return { incarnation, databaseTime: Date.now() };
      });
    },

    async acknowledge(id, { seen, clockAhead }) {
      const sql = "UPDATE nodes SET seen = :seen, clock_ahead_ms = :clockAhead WHERE id = :id";
      if ((await run("nodes.acknowledge", sql, { id, seen, clockAhead })) > 0) wake();
    },

    async readRegistry() {
      return connection.read("nodes.readRegistry", () => {
        const { longestLease, settled } = readInstallation(connection);
        const rows = connection.all<NodeRow>(list, { incarnation });
        const nodes = rows.map((row) => ({ ...row, isLeaving: row.isLeaving === 1 }));
        return { incarnation, isSettled: settled === incarnation, longestLease, nodes };
      });
    },

    async hasCommit(position) {
      const { seq } = parsePosition(position);
      const sql = "SELECT 1 FROM revocations WHERE seq = :seq";
      return connection.read("nodes.hasCommit", () => connection.prepare(sql).get({ seq }) !== undefined);
    },

    covers: (seen, position) => Number(seen) >= parsePosition(position).seq,
    toIncarnation: (position) => parsePosition(position).incarnation,

    async markLeaving(id) {
      const sql = "UPDATE nodes SET leaving = 1 WHERE id = :id RETURNING lease_ms AS lease";
      return connection.write("nodes.markLeaving", () => {
        const node = connection.get<Pick<NodeRow, "lease">>(sql, { id });
        return node?.lease ?? null;
      });
    },

    async remove(id) {
      await run("nodes.remove", "DELETE FROM nodes WHERE id = :id", { id });
    },

    async removeLeaving(id) {
      await run("nodes.removeLeaving", "DELETE FROM nodes WHERE id = :id AND leaving = 1", { id });
    },

    async settle(settled) {
      if (settled !== incarnation) return;
      await run("nodes.settle", "UPDATE installation SET settled = :settled WHERE settled IS NOT :settled", {
        settled,
      });
    },

    async raiseGlobalEpoch(epoch) {
      const sql = "UPDATE installation SET global_epoch = :epoch WHERE global_epoch < :epoch";
      await run("nodes.raiseGlobalEpoch", sql, { epoch });
    },

    async raiseLease(id, lease) {
      return connection.write("nodes.raiseLease", () => {
        connection.prepare(raiseLongest).run({ access: 0, lease });
        return connection.prepare(raiseLease).run({ id, lease, incarnation }).changes > 0;
      });
    },

    subscribe(subscriber) {
      subscribers.add(subscriber);
      return () => void subscribers.delete(subscriber);
    },
  };
}
