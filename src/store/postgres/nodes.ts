import type { NodeStore, RegisteredNode, RegistryNode, RegistrySnapshot } from "../../core/store/nodes.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock, commitDurably } from "./connection/statement.ts";
import { parsePosition } from "./feed/cursor.ts";
import { isAStandby } from "./feed/feed.ts";
import type { Notifications } from "./feed/notifications.ts";
import { incarnation } from "./rows.ts";
import { isVisible } from "./snapshot.ts";

const raiseLongest = `UPDATE tokenpair.installation SET longest_access = greatest(longest_access, :access::bigint),
  longest_lease_ms = greatest(longest_lease_ms, :lease::bigint)
  WHERE longest_access < :access::bigint OR longest_lease_ms < :lease::bigint`;

// The process that marks the node as leaving waits for the row, and so does this statement: the lease of a leaving node never grows.
const raiseLease = `UPDATE tokenpair.nodes SET lease_ms = greatest(lease_ms, :lease::bigint)
  WHERE id = :id AND NOT leaving AND incarnation = ${incarnation} RETURNING 1`;

const insert = `WITH ${clock}
  INSERT INTO tokenpair.nodes (id, name, lease_ms, incarnation, joined_at)
  SELECT :id, :name, :lease::bigint, ${incarnation}, now FROM clock
  RETURNING incarnation, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS "databaseTime"`;

/** The number of rows of a restored database that one statement adopts. */
const adoptedAtOnce = 10_000;

// A row that is visible now but has a later transaction's id comes from a database with another history. It would look new
// to every read.
const adopt = (table: string) => `UPDATE tokenpair.${table} SET xid = pg_current_xact_id()
  WHERE seq = ANY (ARRAY(SELECT seq FROM tokenpair.${table} WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
    LIMIT ${adoptedAtOnce} FOR NO KEY UPDATE SKIP LOCKED)) RETURNING 1`;
const adoptions = [adopt("revocations"), adopt("audit_log")];

// Losing an acknowledgement costs only time. The notification is in the same transaction, so that it takes one answer less.
const acknowledge = `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
  acknowledged AS (UPDATE tokenpair.nodes SET seen = :seen, clock_ahead_ms = :clockAhead::bigint
    FROM quick WHERE id = :id RETURNING id)
  SELECT pg_notify(:channel, '') FROM acknowledged`;

const readRegistry = `SELECT ${incarnation} AS "currentIncarnation", settled IS NOT DISTINCT FROM ${incarnation} AS "isSettled",
    longest_lease_ms AS "longestLease", pg_is_in_recovery() AS "isStandby", id, name, lease_ms AS lease,
    CASE WHEN nodes.incarnation = ${incarnation} THEN seen END AS seen, leaving AS "isLeaving", joined_at AS "joinedAt",
    clock_ahead_ms AS "clockAhead"
  FROM tokenpair.installation LEFT JOIN tokenpair.nodes ON true ORDER BY joined_at, id`;

const findEntry = `SELECT pg_is_in_recovery() AS "isStandby", EXISTS (SELECT FROM tokenpair.revocations
  WHERE seq = :seq::bigint AND xid = :xid::xid8) AS "isThere"`;

const settle = `UPDATE tokenpair.installation SET settled = :incarnation
  WHERE settled IS DISTINCT FROM :incarnation AND :incarnation = ${incarnation}`;

type RegistryRow = RegistryNode & {
  readonly id: string | null;
  readonly currentIncarnation: string;
  readonly isSettled: boolean;
  readonly longestLease: number;
  readonly isStandby: boolean;
};

interface FoundEntry {
  readonly isStandby: boolean;
  readonly isThere: boolean;
}

/** Creates the store of the tables `nodes` and `installation`. */
export function createNodeStore(connection: PostgresConnection, notifications: Notifications): NodeStore {
  return {
    async register({ id, name, lease, accessTokenLifetime: access }) {
      for (const sql of adoptions) {
        while ((await connection.run("nodes.register", sql)).length === adoptedAtOnce);
      }
      return connection.transact("nodes.register", async ({ run }) => {
        await run(commitDurably);
        await run(raiseLongest, { access, lease });
        const [row] = (await run<RegisteredNode>(insert, { id, name, lease })) as readonly [RegisteredNode];
        return row;
      });
    },

    async acknowledge(id, { seen, clockAhead }) {
      const { channel, wake } = notifications.acknowledgements;
      const rows = await connection.run("nodes.acknowledge", acknowledge, { id, seen, clockAhead, channel });
      if (rows.length > 0) wake();
    },

    async readRegistry(): Promise<RegistrySnapshot> {
      const rows = (await connection.run<RegistryRow>("nodes.readRegistry", readRegistry)) as readonly [
        RegistryRow,
        ...RegistryRow[],
      ];
      const [{ currentIncarnation, isSettled, longestLease, isStandby }] = rows;
      // A standby may not have every node yet. Its start time must not count as known before it is promoted.
      if (isStandby) throw isAStandby("nodes.readRegistry");
      const nodes = rows.filter(({ id }) => id !== null).map(toNode);
      return { incarnation: currentIncarnation, isSettled, longestLease, nodes };
    },

    async hasCommit(position) {
      const { seq, xid } = parsePosition(position);
      const [found] = await connection.run<FoundEntry>("nodes.hasCommit", findEntry, { seq, xid });
      // A standby may be behind the primary, and says nothing about another server that is promoted.
      if (found?.isStandby !== false) throw isAStandby("nodes.hasCommit");
      return found.isThere;
    },

    covers: (seen, position) => isVisible(parsePosition(position).xid, seen),
    toIncarnation: (position) => parsePosition(position).incarnation,

    markLeaving: (id) =>
      connection.transact("nodes.markLeaving", async ({ run }) => {
        // If a crash lost the mark, the node would be fresh again, but removed.
        await run(commitDurably);
        const sql = "UPDATE tokenpair.nodes SET leaving = true WHERE id = :id RETURNING lease_ms AS lease";
        const [node] = await run<Pick<RegistryNode, "lease">>(sql, { id });
        return node?.lease ?? null;
      }),

    async remove(id) {
      await connection.run("nodes.remove", "DELETE FROM tokenpair.nodes WHERE id = :id", { id });
    },

    async removeLeaving(id) {
      await connection.run("nodes.removeLeaving", "DELETE FROM tokenpair.nodes WHERE id = :id AND leaving", { id });
    },

    async settle(settled) {
      await connection.run("nodes.settle", settle, { incarnation: settled });
    },

    async raiseGlobalEpoch(epoch) {
      const sql = "UPDATE tokenpair.installation SET global_epoch = :epoch::bigint WHERE global_epoch < :epoch::bigint";
      await connection.run("nodes.raiseGlobalEpoch", sql, { epoch });
    },

    raiseLease: (id, lease) =>
      connection.transact("nodes.raiseLease", async ({ run }) => {
        await run(commitDurably);
        await run(raiseLongest, { access: 0, lease });
        return (await run(raiseLease, { id, lease })).length > 0;
      }),

    subscribe: notifications.acknowledgements.subscribe,
  };
}

function toNode({ id, name, lease, seen, isLeaving, joinedAt, clockAhead }: RegistryNode): RegistryNode {
  return { id, name, lease, seen, isLeaving, joinedAt, clockAhead };
}
