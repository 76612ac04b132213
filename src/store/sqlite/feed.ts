import { randomUUID } from "node:crypto";
import type {
  CommitPosition,
  FeedBatch,
  FeedCursor,
  FeedPlace,
  FeedState,
  RevocableToken,
  Revocation,
} from "../../core/revocation.ts";
import type { FeedRead, FeedStore } from "../../core/store/feed.ts";
import {
  feedBatchSize,
  longestUnknownAccess,
  type RevocationRow,
  toReasonCode,
  toRevocation,
} from "../revocation-row.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { requireAllowed } from "./guard.ts";
import { readInstallation } from "./installation.ts";
import { createWatch } from "./watch.ts";

const insert = `INSERT INTO revocations (kind, key, epoch, except_key, at, until, confirm, reason, appended_ms)
  VALUES (:kind, :key, :epoch, :exceptKey, :at, :until, :confirm, :reason, :appended)`;

const columns = `seq, kind, key, epoch, except_key AS exceptKey, at, until, confirm, reason, appended_ms AS appended`;

const selectAfter = `SELECT ${columns} FROM revocations WHERE seq > :seq ORDER BY seq LIMIT :limit`;

const lastEnd = `coalesce(until, at + ${longestUnknownAccess})`;

const selectSince = `SELECT ${columns} FROM revocations WHERE ${lastEnd} >= :since AND seq > :seq ORDER BY seq LIMIT :limit`;

const findLive = `SELECT 1 FROM sessions JOIN users ON users.id = user_id
  WHERE sessions.id = :sessionId AND user_id = :userId AND revoked_at IS NULL AND (epoch <= :userEpoch
      OR EXISTS (SELECT 1 FROM revocations WHERE kind = 'user' AND key = :userId
        AND revocations.epoch = users.epoch AND except_key = :sessionId))
    AND NOT EXISTS (SELECT 1 FROM revocations WHERE kind = 'token' AND key = :tokenId)
    AND (:globalEpoch IS NULL OR :globalEpoch >= (SELECT global_epoch FROM installation))
    AND NOT EXISTS (SELECT 1 FROM revocations WHERE kind = 'all'
      AND (revocations.epoch IS NULL OR :globalEpoch IS NULL) AND at >= :issuedAt)`;

/** A row of the feed. */
type FeedRow = RevocationRow & {
  readonly seq: number;
  /** The time at which the entry was appended, in milliseconds since the epoch. `null` if the writer didn't store it. */
  readonly appended: number | null;
};

/** An entry that was appended, and its position. */
export interface Appended<R extends Revocation = Revocation> {
  readonly revocations: readonly [R];
  readonly position: CommitPosition;
}

/** The feed, and the function that appends to it. */
export interface SqliteFeedStore extends FeedStore {
  /** Appends `revocation` within the caller's write. Wakes the subscribers after the commit. */
  readonly append: <R extends Revocation>(revocation: R) => Appended<R>;
  /**
   * Wakes the subscribers after the commit of the caller's write, because the write has changed the state that a read
   * returns.
   */
  readonly wakeAfterCommit: () => void;
  /** Stops watching for commits by other processes. */
  readonly stop: () => void;
}

/** A reader's position in the feed. */
interface SqliteCursor {
  /** The last entry that was read. */
  readonly seq: number;
  /** The time at which a read from the beginning started. Only present during such a read. */
  readonly since?: number;
}

/** Creates the store of the table `revocations`. Its entries are in the order of the commits. */
export function createFeedStore(connection: SqliteConnection): SqliteFeedStore {
  const subscribers = new Set<(isAwaited: boolean) => void>();
  const watch = createWatch(connection, () => wake(true));

  function wake(isAwaited: boolean): void {
    for (const subscriber of subscribers) queueMicrotask(() => subscribers.has(subscriber) && subscriber(isAwaited));
  }

  const wakeAll = () => wake(false);
  let history: string | undefined;

  function toFeedPlace(seq: number): FeedPlace {
    history ??= readHistory(connection);
    return { history, horizon: BigInt(seq) + 1n };
  }

  function append<R extends Revocation>(revocation: R): Appended<R> {
    const { kind, at, until = null, confirm = false, reason } = revocation;
    const row: RevocationRow = {
      kind,
      at,
      until,
      confirm,
      reason: reason === undefined ? null : toReasonCode(reason),
      ...toSubject(revocation),
    };
    const parameters = { ...row, confirm: Number(confirm), appended: Date.now() };
    const { lastInsertRowid: seq } = connection.prepare(insert).run(parameters);
    connection.afterCommit(() => wake(confirm));
    // As it will be read.
    const entry = toRevocation(row) as R;
    return { revocations: [entry], position: toPosition(connection.incarnation, Number(seq)) };
  }

  function readState(nodeId: string | null): FeedState {
    const { globalEpoch, keysVersion, longestLease, settled } = readInstallation(connection);
    const node = connection
      .prepare("SELECT leaving FROM nodes WHERE id = :nodeId AND incarnation = :incarnation")
      .get({ nodeId, incarnation: connection.incarnation });
    const { number } = connection.get("SELECT count(*) AS number FROM nodes") as { number: number };
    watch.setActive(subscribers.size > 0 && number > 1);
    return {
      incarnation: connection.incarnation,
      membership: node === undefined ? "absent" : node["leaving"] === 1 ? "leaving" : "member",
      globalEpoch,
      keysVersion,
      isSettled: settled === connection.incarnation,
      longestLease,
      hasSynchronousStandby: false,
    };
  }

  function readBatch({ after, since, nodeId }: FeedRead): FeedBatch {
    const state = readState(nodeId);
    const last = readLastSeq(connection);
    const cursor = after === null ? null : (JSON.parse(after) as SqliteCursor);
    if (cursor !== null && cursor.seq > last) {
      // An older copy of the database was restored: from here on, its positions are given once more.
      history = randomUUID();
      return {
        revocations: [],
        positions: [],
        place: toFeedPlace(0),
        cursor: after as FeedCursor,
        more: false,
        seen: "0",
        state,
        isCursorLost: true,
      };
    }
    const from = cursor === null ? { seq: 0, since } : cursor;
    const isLoad = from.since !== undefined;
    const page = { ...from, limit: feedBatchSize + 1 };
    const rows = connection.all<FeedRow>(isLoad ? selectSince : selectAfter, page);
    const batch = rows.slice(0, feedBatchSize);
    const more = rows.length > feedBatchSize;
    const next = more ? { ...from, seq: batch.at(-1)?.seq ?? from.seq } : { seq: last };
    const ages = isLoad ? {} : { ages: batch.map(toAge) };
    return {
      revocations: batch.map(toRevocation),
      positions: batch.map(({ seq }) => BigInt(seq)),
      place: toFeedPlace(next.seq),
      cursor: toCursor(next),
      more,
      seen: String(next.seq),
      state,
      ...ages,
    };
  }

  return {
    async read(options) {
      if (options.beat) return connection.write("feed.read", () => readAndBeat(options));
      return connection.read("feed.read", () => readBatch(options));
    },

    subscribe(subscriber) {
      subscribers.add(subscriber);
      return () => {
        subscribers.delete(subscriber);
        if (subscribers.size === 0) watch.setActive(false);
      };
    },

    async isRevoked({ sessionId, userId, userEpoch, globalEpoch, tokenId, issuedAt }: RevocableToken) {
      const parameters = { sessionId, userId, userEpoch, globalEpoch, tokenId, issuedAt };
      return connection.read("feed.isRevoked", () => connection.prepare(findLive).get(parameters) === undefined);
    },

    async revokeToken(tokenId, { audit, confirm = false, until, guard } = {}) {
      return connection.write("feed.revokeToken", (now) => {
        requireAllowed(connection, guard);
        const { longestAccess } = readInstallation(connection);
        const end = until ?? now + (longestAccess || longestUnknownAccess);
        const entry = append({ kind: "token", tokenId, at: now, until: end, reason: "revoked", confirm });
        return recordChange(connection, audit, entry);
      });
    },

    append,
    wakeAfterCommit: () => connection.afterCommit(wakeAll),
    stop: () => watch.setActive(false),
  };

  function readAndBeat(options: FeedRead): FeedBatch {
    connection.prepare("UPDATE nodes SET beat = beat + 1 WHERE id = :nodeId").run({ nodeId: options.nodeId });
    return readBatch(options);
  }
}

const toCursor = (cursor: SqliteCursor): FeedCursor => JSON.stringify(cursor);

/** Converts the number of an entry to a position. */
const toPosition = (incarnation: string, seq: number): CommitPosition => JSON.stringify({ incarnation, seq });

/** Converts a position back to the number of its entry. */
export function parsePosition(position: CommitPosition): { readonly incarnation: string; readonly seq: number } {
  return JSON.parse(position);
}

/**
 * Returns the name of the history to which positions belong: that of this file, and not of one that gets its inode after it was
 * deleted.
 */
function readHistory({ incarnation, prepare }: SqliteConnection): string {
  if (incarnation === "memory") return randomUUID();
  const created = prepare("SELECT min(applied_at) AS at FROM tokenpair_migrations").get()?.["at"];
  return `${incarnation}:${created}`;
}

/** Returns the highest `seq` that was ever used. Deleting old entries doesn't lower it. */
function readLastSeq(connection: SqliteConnection): number {
  const row = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'revocations'").get();
  return Number(row?.["seq"] ?? 0);
}

/**
 * Returns the age of an entry in milliseconds, or `null` if it is unknown. It uses the machine's clock, which is the same
 * for all processes that use the file.
 */
function toAge({ appended }: FeedRow): number | null {
  return appended === null ? null : Math.max(0, Date.now() - appended);
}

/** The columns that say what was revoked. */
type Subject = Pick<RevocationRow, "key" | "epoch" | "exceptKey">;

function toSubject(revocation: Revocation): Subject {
  switch (revocation.kind) {
    case "session":
      return { key: revocation.sessionId, epoch: null, exceptKey: null };
    case "user":
      return { key: revocation.userId, epoch: revocation.epoch, exceptKey: revocation.except ?? null };
    case "token":
      return { key: revocation.tokenId, epoch: null, exceptKey: null };
    case "all":
      return { key: null, epoch: revocation.epoch ?? null, exceptKey: null };
  }
}
