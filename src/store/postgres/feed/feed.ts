import { StoreUnavailableError } from "../../../core/errors.ts";
import type { FeedBatch, RevocableToken } from "../../../core/revocation.ts";
import type { FeedStore } from "../../../core/store/feed.ts";
import type { AuditLog } from "../audit.ts";
import type { Connection } from "../connection/connection.ts";
import { clock } from "../connection/statement.ts";
import { type RevocationRow, toRevocation } from "../rows.ts";
import { type Place, parseCursor, toCursor, toUnseen } from "./cursor.ts";
import type { Notifications } from "./notifications.ts";

/** The most entries that one read returns. */
const batchSize = 10_000;

/** How often a node reads the feed, in milliseconds: half of the second in which a revocation must be in force. */
const pollInterval = 500;

/**
 * The entries that `condition` names after `:seq`, each beside the snapshot with which they were read; one row with the
 * snapshot alone where there are none.
 */
const read = (condition: string) => `WITH ${clock}, place AS MATERIALIZED (
    SELECT pg_current_snapshot()::text AS snapshot, extract(epoch FROM pg_postmaster_start_time())::text AS start,
      pg_is_in_recovery() AS "isStandby")
  SELECT entry.*, place.* FROM clock CROSS JOIN place LEFT JOIN LATERAL (
    SELECT seq, kind, key, epoch, at,
      greatest(0, extract(epoch FROM clock_timestamp() - appended_at) * 1000)::bigint AS age FROM tokenpair.revocations
    WHERE ${condition} AND seq > :seq::bigint ORDER BY seq LIMIT :limit) AS entry ON true
  ORDER BY seq`;

const readRecent = read("at >= now - :horizon::bigint");
const readUnseen = read("(xid >= :from::xid8 OR xid = ANY (:open::xid8[]))");

const append = `WITH ${clock}
  INSERT INTO tokenpair.revocations (kind, key, at) SELECT 'token', :tokenId, now FROM clock
  RETURNING kind, key, epoch, at`;

/** One row, whose statement sees one state of the database. */
const lookUp = `SELECT pg_is_in_recovery() AS "isStandby",
  EXISTS (SELECT FROM tokenpair.sessions JOIN tokenpair.users ON users.id = user_id
    WHERE sessions.id = :sessionId AND user_id = :userId AND revoked_at IS NULL AND epoch <= :userEpoch::bigint)
  AND NOT EXISTS (SELECT FROM tokenpair.revocations WHERE kind = 'token' AND key = :tokenId)
  AND NOT EXISTS (SELECT FROM tokenpair.revocations WHERE kind = 'all' AND at >= :issuedAt::bigint) AS "isAlive"`;

type EntryRow = RevocationRow & {
  readonly seq: number | null;
  readonly age: number | null;
  readonly snapshot: string;
  readonly start: string;
  readonly isStandby: boolean;
};

interface LookedUp {
  readonly isStandby: boolean;
  readonly isAlive: boolean;
}

/** The feed in the table `revocations`. It never skips an entry: see `Place`. */
export function createFeed(connection: Connection, notifications: Notifications, log: AuditLog): FeedStore {
  async function readFrom(place: Place | null, horizon: number): Promise<readonly [EntryRow, ...EntryRow[]]> {
    const seen = place?.seen ?? null;
    const position = { seq: place?.batch?.seq ?? 0, limit: batchSize + 1 };
    const rows =
      seen === null
        ? await connection.run<EntryRow>("feed.read", readRecent, { ...position, horizon })
        : await connection.run<EntryRow>("feed.read", readUnseen, { ...position, ...toUnseen(seen) });
    return rows as readonly EntryRow[] as readonly [EntryRow, ...EntryRow[]];
  }

  return {
    pollInterval,

    async read({ after, horizon }): Promise<FeedBatch> {
      const place = after === null ? null : parseCursor(after);
      let rows = await readFrom(place, horizon);
      const { start, isStandby } = rows[0];
      // A standby's snapshots do not list the transactions that are under way.
      if (isStandby) throw new StoreUnavailableError("feed.read: the server is a standby");
      if (place === null || place.start === start) return toBatch(rows, place);
      rows = await readFrom(null, horizon);
      return { ...toBatch(rows, null), isRestarted: true };
    },

    subscribe: notifications.subscribe,

    async isRevoked({ sessionId, userId, userEpoch, tokenId, issuedAt }: RevocableToken) {
      const parameters = { sessionId, userId, userEpoch, tokenId, issuedAt };
      const [row] = await connection.run<LookedUp>("feed.isRevoked", lookUp, parameters);
      // A standby may be behind.
      if (row?.isStandby !== false) throw new StoreUnavailableError("feed.isRevoked: the server is a standby");
      return !row.isAlive;
    },

    revokeToken: (tokenId, audit) =>
      connection.transact("feed.revokeToken", async ({ run, afterCommit }) => {
        const rows = await run<RevocationRow>(append, { tokenId });
        afterCommit(notifications.announce);
        return log.record(run, audit, { revocations: [toRevocation(rows[0] as RevocationRow)] as const });
      }),
  };
}

function toBatch(rows: readonly [EntryRow, ...EntryRow[]], place: Place | null): FeedBatch {
  const entries = rows.filter(({ seq }) => seq !== null);
  const batch = entries.slice(0, batchSize);
  const more = entries.length > batchSize;
  const snapshot = place?.batch?.snapshot ?? rows[0].snapshot;
  const { start } = rows[0];
  const next: Place = more
    ? { start, seen: place?.seen ?? null, batch: { snapshot, seq: batch.at(-1)?.seq ?? 0 } }
    : { start, seen: snapshot };
  const ages = (place?.seen ?? null) === null ? {} : { ages: batch.map(({ age }) => age) };
  return { revocations: batch.map(toRevocation), cursor: toCursor(next), more, ...ages };
}
