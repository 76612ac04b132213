import type { FeedBatch, FeedCursor, RevocableToken, Revocation } from "../../core/revocation.ts";
import type { FeedStore } from "../../core/store/feed.ts";
import { feedBatchSize, type RevocationRow, toRevocation } from "../revocation-row.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";

/** Milliseconds between two reads of the feed. Other processes on the file send no wake-up. */
const pollInterval = 250;

const insert =
  "INSERT INTO revocations (kind, key, epoch, at, appended_ms) VALUES (:kind, :key, :epoch, :at, :appended)";

const selectAfter = "SELECT * FROM revocations WHERE seq > :seq ORDER BY seq LIMIT :limit";

// `+seq` makes SQLite find the first entry by the index on the time, instead of scanning the table from its start.
const selectSince = `SELECT * FROM revocations
  WHERE at >= :since AND seq >= (SELECT min(+seq) FROM revocations WHERE at >= :since) ORDER BY seq LIMIT :limit`;

const findLive = `SELECT 1 FROM sessions JOIN users ON users.id = user_id
  WHERE sessions.id = :sessionId AND user_id = :userId AND revoked_at IS NULL AND epoch <= :userEpoch
    AND NOT EXISTS (SELECT 1 FROM revocations WHERE kind = 'token' AND key = :tokenId)
    AND NOT EXISTS (SELECT 1 FROM revocations WHERE kind = 'all' AND at >= :issuedAt)`;

/** A row of the feed. */
type FeedRow = RevocationRow & {
  readonly seq: number;
  /** Milliseconds since the epoch; `null` if the writer didn't note it. */
  readonly appended_ms: number | null;
};

/** The feed, and the function that appends to it. */
export interface SqliteFeedStore extends FeedStore {
  /**
   * Appends `revocation` inside the caller's write, and wakes the subscribers after the commit. Returns the revocation
   * that it was given.
   */
  readonly append: (revocation: Revocation) => Revocation;
}

/** Creates the store of the table `revocations`. A cursor is the `seq` of the last entry that was read. */
export function createFeedStore(connection: SqliteConnection): SqliteFeedStore {
  const subscribers = new Set<() => void>();
  let ownCommits = 0;
  /** The cursor of a reader at the end of the feed, and the state of the database at that time. */
  let end: { readonly cursor: FeedCursor; readonly state: string } | null = null;

  function afterAppend(): void {
    ownCommits += 1;
    for (const wake of subscribers) queueMicrotask(wake);
  }

  function append(revocation: Revocation): Revocation {
    const { kind, at } = revocation;
    connection.prepare(insert).run({ kind, at, appended: Date.now(), ...toKeyAndEpoch(revocation) });
    connection.afterCommit(afterAppend);
    return revocation;
  }

  /** Returns a text that changes with every commit of another connection, and with our own commits to the feed. */
  function readState(): string {
    return `${connection.prepare("PRAGMA data_version").get()?.["data_version"]}.${ownCommits}`;
  }

  function readBatch(after: FeedCursor | null, since: number): FeedBatch {
    const last = readLastSeq(connection);
    // A cursor beyond the end: an older copy of the database was restored, so the feed is read from the beginning.
    const seq = after !== null && Number(after) <= last ? Number(after) : null;
    const limit = feedBatchSize + 1;
    const rows =
      seq === null
        ? connection.prepare(selectSince).all({ since, limit })
        : connection.prepare(selectAfter).all({ seq, limit });
    const batch = rows.slice(0, feedBatchSize) as unknown as readonly FeedRow[];
    const more = rows.length > feedBatchSize;
    const cursor = String(more ? batch.at(-1)?.seq : last);
    const extra = seq === null ? { isRestarted: after !== null } : { ages: batch.map(toAge) };
    return { revocations: batch.map(toRevocation), cursor, more, ...extra };
  }

  return {
    pollInterval,

    async read({ after, horizon }) {
      return connection.read("feed.read", (now) => {
        const state = readState();
        if (after !== null && end?.cursor === after && end.state === state) {
          return { revocations: [], cursor: after, more: false };
        }
        const batch = readBatch(after, now - horizon);
        if (!batch.more) end = { cursor: batch.cursor, state };
        return batch;
      });
    },

    subscribe(wake) {
      subscribers.add(wake);
      return () => void subscribers.delete(wake);
    },

    async isRevoked({ sessionId, userId, userEpoch, tokenId, issuedAt }: RevocableToken) {
      const parameters = { sessionId, userId, userEpoch, tokenId, issuedAt };
      return connection.read("feed.isRevoked", () => connection.prepare(findLive).get(parameters) === undefined);
    },

    async revokeToken(tokenId, audit) {
      return connection.write("feed.revokeToken", (now) =>
        recordChange(connection, audit, { revocations: [append({ kind: "token", tokenId, at: now })] as const }),
      );
    },

    append,
  };
}

/** Returns the highest `seq` that was ever used. Deleting old entries doesn't lower it. */
function readLastSeq(connection: SqliteConnection): number {
  const row = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'revocations'").get();
  return Number(row?.["seq"] ?? 0);
}

/** Returns milliseconds by the machine's clock, which all processes on the file share. */
function toAge({ appended_ms: appended }: FeedRow): number | null {
  return appended === null ? null : Math.max(0, Date.now() - appended);
}

/** Returns the columns `key` and `epoch` of a revocation's row. */
function toKeyAndEpoch(revocation: Revocation): { readonly key: string | null; readonly epoch: number | null } {
  switch (revocation.kind) {
    case "session":
      return { key: revocation.sessionId, epoch: null };
    case "user":
      return { key: revocation.userId, epoch: revocation.epoch };
    case "token":
      return { key: revocation.tokenId, epoch: null };
    case "all":
      return { key: null, epoch: null };
  }
}
