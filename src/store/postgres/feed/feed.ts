import { StoreUnavailableError } from "../../../core/errors.ts";
import type { FeedBatch, RevocableToken } from "../../../core/revocation.ts";
import type { FeedStore } from "../../../core/store/feed.ts";
import { feedBatchSize, type RevocationRow, toRevocation } from "../../revocation-row.ts";
import { recordChange } from "../audit.ts";
import type { PostgresConnection } from "../connection/connection.ts";
import { clock } from "../connection/statement.ts";
import { isUnseen, toUnseen } from "../snapshot.ts";
import { type FeedPosition, parseCursor, toCursor } from "./cursor.ts";
import type { Notifications } from "./notifications.ts";

/** Milliseconds between two reads of the feed: half of the second within which a revocation must take effect. */
const pollInterval = 500;

/**
 * Returns the statement that reads the entries after `:seq` for which `condition` holds, each with the snapshot of the
 * read. If there are none, it returns one row with the snapshot alone.
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
const readUnseen = read(isUnseen);

const append = `WITH ${clock}
  INSERT INTO tokenpair.revocations (kind, key, at) SELECT 'token', :tokenId, now FROM clock
  RETURNING kind, key, epoch, at`;

// One statement, so that all of it sees the same state of the database.
const checkToken = `SELECT pg_is_in_recovery() AS "isStandby",
  EXISTS (SELECT FROM tokenpair.sessions JOIN tokenpair.users ON users.id = user_id
    WHERE sessions.id = :sessionId AND user_id = :userId AND revoked_at IS NULL AND epoch <= :userEpoch::bigint)
  AND NOT EXISTS (SELECT FROM tokenpair.revocations WHERE kind = 'token' AND key = :tokenId)
  AND NOT EXISTS (SELECT FROM tokenpair.revocations WHERE kind = 'all' AND at >= :issuedAt::bigint) AS "isLive"`;

type EntryRow = RevocationRow & {
  readonly seq: number | null;
  readonly age: number | null;
  readonly snapshot: string;
  readonly start: string;
  readonly isStandby: boolean;
};

interface CheckedToken {
  readonly isStandby: boolean;
  readonly isLive: boolean;
}

/** Creates the store of the table `revocations`. It never skips an entry: see `snapshot.ts`. */
export function createFeedStore(connection: PostgresConnection, notifications: Notifications): FeedStore {
  async function readFrom(position: FeedPosition | null, horizon: number): Promise<readonly [EntryRow, ...EntryRow[]]> {
    const seen = position?.seen ?? null;
    const page = { seq: position?.batch?.seq ?? 0, limit: feedBatchSize + 1 };
    const rows =
      seen === null
        ? await connection.run<EntryRow>("feed.read", readRecent, { ...page, horizon })
        : await connection.run<EntryRow>("feed.read", readUnseen, { ...page, ...toUnseen(seen) });
    return rows as readonly EntryRow[] as readonly [EntryRow, ...EntryRow[]];
  }

  return {
    pollInterval,

    async read({ after, horizon }): Promise<FeedBatch> {
      const position = after === null ? null : parseCursor(after);
      const rows = await readFrom(position, horizon);
      const { start, isStandby } = rows[0];
      // A standby's snapshots don't list the transactions that are open on the primary.
      if (isStandby) throw isAStandby("feed.read");
      if (position === null || position.start === start) return toBatch(rows, position);
      return { ...toBatch(await readFrom(null, horizon), null), isRestarted: true };
    },

    subscribe: notifications.subscribe,

    async isRevoked({ sessionId, userId, userEpoch, tokenId, issuedAt }: RevocableToken) {
      const parameters = { sessionId, userId, userEpoch, tokenId, issuedAt };
      const [token] = await connection.run<CheckedToken>("feed.isRevoked", checkToken, parameters);
      // A standby may be behind the primary.
      if (token?.isStandby !== false) throw isAStandby("feed.isRevoked");
      return !token.isLive;
    },

    revokeToken: (tokenId, audit) =>
      connection.transact("feed.revokeToken", async ({ run, afterCommit }) => {
        const [row] = await run<RevocationRow>(append, { tokenId });
        afterCommit(notifications.notify);
        return recordChange(run, audit, { revocations: [toRevocation(row as RevocationRow)] as const });
      }),
  };
}

function isAStandby(operation: string): StoreUnavailableError {
  return new StoreUnavailableError(`${operation}: the server is a standby: connect to the primary`);
}

function toBatch(rows: readonly [EntryRow, ...EntryRow[]], position: FeedPosition | null): FeedBatch {
  const entries = rows.filter(({ seq }) => seq !== null);
  const batch = entries.slice(0, feedBatchSize);
  const more = entries.length > feedBatchSize;
  const snapshot = position?.batch?.snapshot ?? rows[0].snapshot;
  const { start } = rows[0];
  const next: FeedPosition = more
    ? { start, seen: position?.seen ?? null, batch: { snapshot, seq: batch.at(-1)?.seq ?? 0 } }
    : { start, seen: snapshot };
  const ages = (position?.seen ?? null) === null ? {} : { ages: batch.map(({ age }) => age) };
  return { revocations: batch.map(toRevocation), cursor: toCursor(next), more, ...ages };
}
