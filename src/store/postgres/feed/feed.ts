import { StoreUnavailableError } from "../../../core/errors.ts";
import type { FeedBatch, FeedState, RevocableToken } from "../../../core/revocation.ts";
import type { FeedRead, FeedStore } from "../../../core/store/feed.ts";
import {
  feedBatchSize,
  longestUnknownAccess,
  type RevocationRow,
  reasonCodes,
  toRevocation,
} from "../../revocation-row.ts";
import { recordChange } from "../audit.ts";
import type { PostgresConnection } from "../connection/connection.ts";
import { clock } from "../connection/statement.ts";
import { requireAllowed } from "../guard.ts";
import { type AppendedRow, appendedColumns, longestEnd, toCommitPosition } from "../revocations.ts";
import { globalEpoch, incarnation } from "../rows.ts";
import { isUnseen, toUnseen } from "../snapshot.ts";
import { type FeedPosition, parseCursor, toCursor } from "./cursor.ts";
import type { Notifications } from "./notifications.ts";
import type { FeedReader } from "./reader.ts";

/**
 * Returns the statement that reads the entries that meet `condition`, in the given order. Each row has the snapshot of the
 * read and the state of the installation. If there are no entries, the statement returns one row without an entry.
 */
const read = (condition: string, order: string) => `WITH ${clock}, place AS MATERIALIZED (
    SELECT pg_current_snapshot()::text AS snapshot, ${incarnation} AS incarnation, pg_is_in_recovery() AS "isStandby",
      global_epoch AS "globalEpoch", keys_version AS "keysVersion", settled IS NOT DISTINCT FROM ${incarnation} AS "isSettled",
      longest_lease_ms AS "longestLease", current_setting('synchronous_standby_names') <> '' AS "hasSynchronousStandby",
      (SELECT leaving FROM tokenpair.nodes WHERE id = :nodeId AND nodes.incarnation = ${incarnation}) AS "isLeaving"
    FROM tokenpair.installation)
  SELECT entry.*, place.* FROM clock CROSS JOIN place LEFT JOIN LATERAL (
    SELECT seq, xid::text AS xid, kind, key, epoch, except_key AS "exceptKey", at, until, reason, confirm,
      greatest(0, extract(epoch FROM clock_timestamp() - appended_at) * 1000)::bigint AS age FROM tokenpair.revocations
    WHERE ${condition} ORDER BY ${order} LIMIT :limit) AS entry ON true`;

// In the order of an index, because most entries that are kept are needed by no token any more.
const lastEnd = `coalesce(until, at + ${longestUnknownAccess})`;
const readRecent = read(`(${lastEnd}, seq) > (:since::bigint, :seq::bigint)`, `${lastEnd}, seq`);

// `seq + 0`: by the index of `seq`, the read would pass over every entry, even if there is nothing new.
const readUnseen = read(`${isUnseen} AND seq + 0 > :seq::bigint`, "seq + 0");

const append = `WITH ${clock}
  INSERT INTO tokenpair.revocations (kind, key, at, until, reason, confirm)
  SELECT 'token', :tokenId, now, coalesce(:until::bigint, ${longestEnd}), ${reasonCodes.revoked}, :confirm::boolean
  FROM clock, tokenpair.installation RETURNING ${appendedColumns}`;

// One statement, so that all of it sees the same state of the database.
const checkToken = `SELECT pg_is_in_recovery() AS "isStandby",
  EXISTS (SELECT FROM tokenpair.sessions JOIN tokenpair.users ON users.id = user_id
    WHERE sessions.id = :sessionId AND user_id = :userId AND revoked_at IS NULL AND (epoch <= :userEpoch::bigint
      OR EXISTS (SELECT FROM tokenpair.revocations WHERE kind = 'user' AND key = :userId
        AND revocations.epoch = users.epoch AND except_key = :sessionId)))
  AND NOT EXISTS (SELECT FROM tokenpair.revocations WHERE kind = 'token' AND key = :tokenId)
  AND (:globalEpoch::bigint IS NULL OR :globalEpoch::bigint >= ${globalEpoch})
  AND NOT EXISTS (SELECT FROM tokenpair.revocations WHERE kind = 'all'
    AND (epoch IS NULL OR :globalEpoch::bigint IS NULL) AND at >= :issuedAt::bigint) AS "isLive"`;

type EntryRow = RevocationRow & {
  readonly seq: number | null;
  readonly xid: string;
  readonly age: number | null;
  readonly snapshot: string;
  readonly incarnation: string;
  readonly isStandby: boolean;
  readonly globalEpoch: number;
  readonly keysVersion: number;
  readonly isSettled: boolean;
  readonly longestLease: number;
  readonly hasSynchronousStandby: boolean;
  /** Whether the node is leaving, or `null` if it is not registered. */
  readonly isLeaving: boolean | null;
};

type EntryRows = readonly [EntryRow, ...EntryRow[]];

interface CheckedToken {
  readonly isStandby: boolean;
  readonly isLive: boolean;
}

/** Creates the store of the table `revocations`. `snapshot.ts` explains why reads never skip an entry. */
export function createFeedStore(
  connection: PostgresConnection,
  reader: FeedReader,
  notifications: Notifications,
): FeedStore {
  async function readFrom(position: FeedPosition | null, options: FeedRead): Promise<EntryRows> {
    const seen = position?.seen ?? null;
    const { nodeId } = options;
    const since = position?.batch?.since ?? options.since;
    const page = { seq: position?.batch?.seq ?? 0, limit: feedBatchSize + 1, nodeId };
    const rows =
      seen === null
        ? await reader.read<EntryRow>(readRecent, { ...page, since }, options)
        : await reader.read<EntryRow>(readUnseen, { ...page, ...toUnseen(seen) }, options);
    return rows as readonly EntryRow[] as EntryRows;
  }

  return {
    async read(options): Promise<FeedBatch> {
      const position = options.after === null ? null : parseCursor(options.after);
      const rows = await readFrom(position, options);
      const { incarnation: start, isStandby } = rows[0];
      // A standby's snapshots don't list the transactions that are open on the primary.
      if (isStandby) throw isAStandby("feed.read");
      if (position === null || position.start === start) return toBatch(rows, position);
      return { ...toBatch([withoutEntry(rows[0])], null), cursor: toCursor(position), isCursorLost: true };
    },

    subscribe: notifications.subscribe,

    async isRevoked({ sessionId, userId, userEpoch, globalEpoch: ge, tokenId, issuedAt }: RevocableToken) {
      const parameters = { sessionId, userId, userEpoch, globalEpoch: ge, tokenId, issuedAt };
      const [token] = await connection.run<CheckedToken>("feed.isRevoked", checkToken, parameters);
      // A standby may be behind the primary.
      if (token?.isStandby !== false) throw isAStandby("feed.isRevoked");
      return !token.isLive;
    },

    revokeToken: (tokenId, { audit, confirm = false, until = null, guard } = {}) =>
      connection.transact("feed.revokeToken", async ({ run, afterCommit }) => {
        await requireAllowed(run, guard);
        const [row] = (await run<AppendedRow>(append, { tokenId, until, confirm })) as readonly [AppendedRow];
        afterCommit(() => notifications.notify(confirm));
        return recordChange(run, audit, { revocations: [toRevocation(row)] as const, position: toCommitPosition(row) });
      }),
  };
}

/** Returns the error of an operation that requires the primary server. */
export function isAStandby(operation: string): StoreUnavailableError {
  return new StoreUnavailableError(`${operation}: the server is a standby: connect to the primary`);
}

const withoutEntry = (row: EntryRow): EntryRow => ({ ...row, seq: null });

function toBatch(rows: EntryRows, position: FeedPosition | null): FeedBatch {
  const entries = rows.filter(({ seq }) => seq !== null);
  const batch = entries.slice(0, feedBatchSize);
  const more = entries.length > feedBatchSize;
  const [first] = rows;
  const snapshot = position?.batch?.snapshot ?? first.snapshot;
  const start = first.incarnation;
  const next: FeedPosition = more
    ? { start, seen: position?.seen ?? null, batch: { snapshot, ...toPlace(batch.at(-1)) } }
    : { start, seen: snapshot };
  const ages = (position?.seen ?? null) === null ? {} : { ages: batch.map(({ age }) => age) };
  return {
    revocations: batch.map(toRevocation),
    positions: batch.map(({ xid }) => BigInt(xid)),
    // Every transaction below the first one that was open is over, and its entries were visible.
    place: { history: start, horizon: BigInt(snapshot.split(":")[0] ?? 0) },
    cursor: toCursor(next),
    more,
    seen: snapshot,
    state: toState(first),
    ...ages,
  };
}

/** Returns the position after an entry, at which the next batch continues. Works for both orders. */
function toPlace(last: EntryRow | undefined): { readonly seq: number; readonly since: number } {
  return { seq: last?.seq ?? 0, since: last === undefined ? 0 : (last.until ?? last.at + longestUnknownAccess) };
}

function toState(row: EntryRow): FeedState {
  const { incarnation: start, globalEpoch: ge, keysVersion, isSettled, longestLease, hasSynchronousStandby } = row;
  const membership = row.isLeaving === null ? "absent" : row.isLeaving ? "leaving" : "member";
  return {
    incarnation: start,
    membership,
    globalEpoch: ge,
    keysVersion,
    isSettled,
    longestLease,
    hasSynchronousStandby,
  };
}
