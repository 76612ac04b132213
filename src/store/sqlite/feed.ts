import type { FeedBatch, FeedCursor, RevocableToken, Revocation } from "../../core/revocation.ts";
import type { FeedStore } from "../../core/store/feed.ts";
import type { AuditLog } from "./audit.ts";
import type { Connection } from "./connection/connection.ts";
import { type RevocationRow, toRevocation, toRevocationRow } from "./rows.ts";

/** The most entries that one read returns. */
const batchSize = 10_000;

/** How often a node reads the feed, in milliseconds: other processes on the file send no wake-up. */
const pollInterval = 250;

/** The feed, and the way to write it. */
export interface Feed extends FeedStore {
  /** Inside a write: appends `revocation` and, after the commit, wakes the subscribers. Returns what it was given. */
  readonly append: (revocation: Revocation) => Revocation;
}

/** The feed in the table `revocations`. Its cursor is the `seq` of the last entry seen. */
export function createFeed(connection: Connection, log: AuditLog): Feed {
  const subscribers = new Set<() => void>();
  let ownCommits = 0;
  /** Where a reader stood at the end of the feed, and the state of the database then. */
  let end: { readonly cursor: FeedCursor; readonly state: string } | null = null;

  function afterAppend(): void {
    ownCommits += 1;
    for (const wake of subscribers) queueMicrotask(wake);
  }

  function append(revocation: Revocation): Revocation {
    const { kind, at } = revocation;
    connection
      .prepare(
        "INSERT INTO revocations (kind, key, epoch, at, appended_ms) VALUES (:kind, :key, :epoch, :at, :appended)",
      )
      .run({ kind, at, appended: Date.now(), ...toRevocationRow(revocation) });
    connection.afterCommit(afterAppend);
    return revocation;
  }

  /** Changes with every commit of another connection (`data_version`), and with our own that append to the feed. */
  function readState(): string {
    return `${connection.prepare("PRAGMA data_version").get()?.["data_version"]}.${ownCommits}`;
  }

  function readBatch(after: FeedCursor | null, since: number): FeedBatch {
    const last = readLastSeq(connection);
    // A cursor from beyond the end: the database was restored to an older state, so everything is read again.
    const cursor = after !== null && Number(after) <= last ? after : null;
    const rows = cursor === null ? readSince(connection, since) : readAfter(connection, cursor);
    const batch = rows.slice(0, batchSize);
    const more = rows.length > batchSize;
    const seq = more ? batch.at(-1)?.seq : last;
    const news = cursor === null ? { isRestarted: after !== null } : { ages: batch.map(toAge) };
    return { revocations: batch.map(toRevocation), cursor: String(seq), more, ...news };
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

    isRevoked: (token) => connection.read("feed.isRevoked", () => isRevoked(connection, token)),

    async revokeToken(tokenId, audit) {
      return connection.write("feed.revokeToken", (now) =>
        log.record(audit, { revocations: [append({ kind: "token", tokenId, at: now })] as const }),
      );
    },

    append,
  };
}

/** The highest `seq` ever given, which the deletion of old entries does not lower. */
function readLastSeq(connection: Connection): number {
  const row = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'revocations'").get();
  return Number(row?.["seq"] ?? 0);
}

function readAfter(connection: Connection, cursor: FeedCursor): RevocationRow[] {
  return connection
    .prepare("SELECT * FROM revocations WHERE seq > :seq ORDER BY seq LIMIT :limit")
    .all({ seq: Number(cursor), limit: batchSize + 1 }) as RevocationRow[];
}

// `+seq` has SQLite look for the first entry in the index on the time, and not in the table from its start.
const selectSince = `SELECT * FROM revocations
  WHERE at >= :since AND seq >= (SELECT min(+seq) FROM revocations WHERE at >= :since) ORDER BY seq LIMIT :limit`;

function readSince(connection: Connection, since: number): RevocationRow[] {
  return connection.prepare(selectSince).all({ since, limit: batchSize + 1 }) as RevocationRow[];
}

/** Milliseconds by this machine's clock, which all processes on the file share. */
function toAge({ appended_ms: appended }: RevocationRow): number | null {
  return appended === null ? null : Math.max(0, Date.now() - appended);
}

const findAlive = `SELECT 1 FROM sessions JOIN users ON users.id = user_id
  WHERE sessions.id = :sessionId AND user_id = :userId AND revoked_at IS NULL AND epoch <= :userEpoch
    AND NOT EXISTS (SELECT 1 FROM revocations WHERE kind = 'token' AND key = :tokenId)
    AND NOT EXISTS (SELECT 1 FROM revocations WHERE kind = 'all' AND at >= :issuedAt)`;

function isRevoked(
  connection: Connection,
  { sessionId, userId, userEpoch, tokenId, issuedAt }: RevocableToken,
): boolean {
  return connection.prepare(findAlive).get({ sessionId, userId, userEpoch, tokenId, issuedAt }) === undefined;
}
