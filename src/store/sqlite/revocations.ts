import { setImmediate } from "node:timers/promises";
import type { RevokeReason } from "../../core/session.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import { longestUnknownAccess, mostCounted } from "../revocation-row.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import type { SqliteFeedStore } from "./feed.ts";
import { readInstallation } from "./installation.ts";
import { accessEnd, isLive, isLiveInEpoch, isLiveRow, sessionGlobalEpoch } from "./rows.ts";

/** Why and when sessions are revoked, and how the entry is written. */
export interface RevocationCause {
  readonly reason: RevokeReason;
  /** The time of the change, in whole seconds since the epoch. */
  readonly now: number;
  /** Whether a caller waits until every node has applied the entry. */
  readonly confirm?: boolean | undefined;
}

/**
 * Revokes live sessions and appends entries to the feed, inside the caller's write. The returned counts include only the
 * sessions that it revoked.
 */
export interface Revocations {
  /** Revokes one session. With `userId`, revokes it only if it belongs to that user. */
  readonly revokeOne: (sessionId: string, cause: RevocationCause, userId?: string) => RevokedSessions;
  /**
   * Raises the user's epoch and moves one session to the new epoch, with one feed entry. The rows of the user's other
   * sessions don't change. Returns `null` if the user isn't active or has no such live session.
   */
  readonly revokeOthers: (
    owner: { readonly sessionId: string; readonly userId: string },
    cause: RevocationCause,
  ) => RevokedSessions | null;
  /** Returns whether the user is active and has this live session. */
  readonly isOwnerLive: (owner: { readonly sessionId: string; readonly userId: string }, now: number) => boolean;
  /**
   * Raises the user's epoch and revokes every session except `except`, with one feed entry. Returns `null` if there is no
   * such user. If there are many sessions, only the first rows are changed in the caller's write, and the others soon
   * afterwards. The raised epoch already makes all of them unusable.
   */
  readonly raiseEpoch: (userId: string, cause: RevocationCause, except?: string) => RaisedEpoch | null;
  /**
   * Raises the global epoch and revokes every session of every user, with one feed entry. As in `raiseEpoch`, only the
   * first rows are changed in the caller's write.
   */
  readonly revokeAll: (cause: RevocationCause) => RevokedSessions;
}

/** The new epoch of a user, and the sessions that were revoked. */
interface RaisedEpoch {
  readonly epoch: number;
  readonly revoked: RevokedSessions;
}

/** Rows that are changed by one transaction after another. A raised epoch has already made their sessions unusable. */
interface Rest {
  /** The statement that finds the next rows after `:after`. It returns the `last` of them, and their `number`. */
  readonly find: string;
  /** The statement that revokes the live sessions among the rows from `:after` to `:last`. */
  readonly revoke: string;
  /** The parameters of both statements: whose sessions they are, and the new epoch. */
  readonly subject: Readonly<Record<string, string | number | null>>;
  readonly reason: RevokeReason;
}

/** The maximum number of a user's rows that are read, so that the event loop isn't blocked for long. */
const mostLookedAt = 10_000;

/** The maximum number of rows that one transaction changes, so that the event loop isn't blocked for long. */
const mostRows = 500;

const revokeLive = `UPDATE sessions SET revoked_at = :now, revoke_reason = :reason`;

const revokeOne = `${revokeLive}
  WHERE ${isLiveInEpoch} AND id = :sessionId AND user_id = coalesce(:userId, user_id)
  RETURNING ${accessEnd} AS latest`;

// By rowid, which is the order of the index: no search passes over the rows of an earlier one.
const findSome = (condition: string) => `SELECT max(row) AS last, count(*) AS number
  FROM (SELECT rowid AS row FROM sessions WHERE ${condition} AND rowid > :after ORDER BY rowid LIMIT ${mostRows})`;

const revokeSome = (condition: string) => `${revokeLive}
  WHERE rowid > :after AND rowid <= :last AND ${isLiveRow} AND ${condition}`;

const restOfUser = {
  find: findSome("user_id = :userId AND revoked_at IS NULL"),
  revoke: revokeSome("user_id = :userId AND user_epoch < :epoch AND id IS NOT :except"),
};

const restOfAll = { find: findSome("true"), revoke: revokeSome(`${sessionGlobalEpoch} < :epoch`) };

const raiseEpoch = "UPDATE users SET epoch = epoch + 1, epoch_reason = :reason WHERE id = :userId RETURNING epoch";

/**
 * The statement that counts the live sessions that a user had before the epoch was raised. It also finds when their access
 * tokens expire. It reads a limited number of rows, and `seen` says how many.
 */
const countLive = `SELECT count(*) AS seen, coalesce(max(latest), 0) AS latest,
    count(*) FILTER (WHERE epoch = :epoch - 1 AND expiry > :now AND id IS NOT :except) AS number FROM (
  SELECT id, user_epoch AS epoch, idle_expires_at AS expiry, ${accessEnd} AS latest FROM sessions
  WHERE user_id = :userId AND revoked_at IS NULL LIMIT ${mostLookedAt})`;

// By the index alone, expired sessions too: reading the rows of very many sessions would take too long.
const countUnrevoked = "SELECT count(*) AS number FROM sessions WHERE revoked_at IS NULL";
const countUnrevokedOfUser = `${countUnrevoked} AND user_id = :userId`;

const findOwner = `SELECT user_epoch AS epoch, ${accessEnd} AS latest FROM sessions
  WHERE id = :sessionId AND user_id = :userId AND ${isLive} AND EXISTS (SELECT 1 FROM users
    WHERE users.id = :userId AND is_active = 1 AND users.epoch = sessions.user_epoch)`;

const moveToEpoch = `UPDATE sessions SET user_epoch = :epoch, least_epoch = coalesce(least_epoch, user_epoch)
  WHERE id = :sessionId`;

/** The statement that does the same for the sessions of all users. */
const countAll = `SELECT count(*) AS seen, coalesce(max(latest), 0) AS latest,
    count(*) FILTER (WHERE isLive AND isCurrent) AS number FROM (
  SELECT ${isLive} AS isLive, user_epoch = users.epoch AS isCurrent, ${accessEnd} AS latest
  FROM sessions LEFT JOIN users ON users.id = user_id WHERE revoked_at IS NULL LIMIT ${mostLookedAt})`;

const raiseGlobalEpoch = `UPDATE installation SET global_epoch = global_epoch + 1, least_global_epoch = global_epoch + 1,
  all_revoked_at = :now, all_revoked_reason = :reason RETURNING global_epoch AS epoch`;

/** Creates the revocations of a connection. The entries are appended to `feed`. */
export function createRevocations(connection: SqliteConnection, feed: SqliteFeedStore): Revocations {
  /** Returns how long an entry must last: as long as the given tokens, and as long as tokens that are being issued now. */
  function toEnd(now: number, ...latest: readonly number[]): number {
    const { longestAccess } = readInstallation(connection);
    return Math.max(now + (longestAccess || longestUnknownAccess), ...latest);
  }

  function raise(userId: string, reason: RevokeReason): number | null {
    const raised = connection.prepare(raiseEpoch).get({ userId, reason });
    return raised === undefined ? null : Number(raised["epoch"]);
  }

  /** Counts sessions. If there are more than may be read, the entry lasts as long as any token can. */
  function count(parameters: { userId: string; epoch: number; except: string | null }, now: number) {
    return toCount(connection.prepare(countLive).get({ ...parameters, now }), now);
  }

  function toCount(row: Readonly<Record<string, unknown>> | undefined, now: number) {
    const isCut = Number(row?.["seen"]) === mostLookedAt;
    const latest = Math.max(isCut ? now + longestUnknownAccess : 0, Number(row?.["latest"]));
    return { number: Number(row?.["number"]), isCut, latest };
  }

  /**
   * Revokes the live sessions among the next rows.
   *
   * @returns the last row, or `null` if there are no more rows.
   */
  function revokeNext({ find, revoke, subject, reason }: Rest, after: number, now: number): number | null {
    const { userId } = subject;
    const found = connection.prepare(find).get(userId === undefined ? { after } : { userId, after });
    const [last, number] = [Number(found?.["last"]), Number(found?.["number"])];
    if (number > 0) connection.prepare(revoke).run({ ...subject, reason, after, last, now });
    return number === mostRows ? last : null;
  }

  /** Revokes the sessions that an earlier transaction has left, and lets other work run in between. */
  async function revokeRest(rest: Rest, first: number): Promise<void> {
    for (let after: number | null = first; after !== null; ) {
      await setImmediate();
      const from: number = after;
      after = await connection.write("sessions.revokeRest", (now) => revokeNext(rest, from, now));
    }
  }

  /** Revokes the first rows in the caller's write, and the others after its commit. */
  function revokeRows(rest: Rest, now: number): void {
    const last = revokeNext(rest, 0, now);
    // If it fails, the rows go when they have expired.
    if (last !== null) connection.afterCommit(() => void revokeRest(rest, last).catch(() => {}));
  }

  return {
    revokeOne(sessionId, { reason, now, confirm = false }, userId) {
      const row = connection.prepare(revokeOne).get({ sessionId, userId: userId ?? null, reason, now });
      if (row === undefined) return { sessions: 0, revocations: [] };
      const until = toEnd(now, Number(row["latest"]));
      const entry = feed.append({ kind: "session", sessionId, at: now, until, reason, confirm });
      return { sessions: 1, ...entry };
    },

    isOwnerLive: ({ sessionId, userId }, now) =>
      connection.prepare(findOwner).get({ sessionId, userId, now }) !== undefined,

    revokeOthers({ sessionId, userId }, { reason, now, confirm = false }) {
      const owner = connection.prepare(findOwner).get({ sessionId, userId, now });
      const epoch = owner === undefined ? null : raise(userId, reason);
      if (owner === undefined || epoch === null) return null;
      const { number, isCut, latest } = count({ userId, epoch, except: sessionId }, now);
      connection.prepare(moveToEpoch).run({ sessionId, epoch });
      const until = toEnd(now, latest, Number(owner["latest"]));
      const entry = feed.append({ kind: "user", userId, epoch, except: sessionId, at: now, until, reason, confirm });
      return { sessions: isCut ? mostCounted : Math.min(number, mostCounted), ...entry };
    },

    raiseEpoch(userId, { reason, now, confirm = false }, except) {
      const epoch = raise(userId, reason);
      if (epoch === null) return null;
      const parameters = { userId, epoch, except: except ?? null };
      // The access tokens of the session that is kept are revoked too.
      const { number, isCut, latest } = count(parameters, now);
      const sessions = isCut ? countRows(userId) - (except === undefined ? 0 : 1) : number;
      revokeRows({ ...restOfUser, subject: parameters, reason }, now);
      const entry = feed.append({ kind: "user", userId, epoch, at: now, until: toEnd(now, latest), reason, confirm });
      return { epoch, revoked: { sessions, ...entry } };
    },

    revokeAll({ reason, now, confirm = false }) {
      const { number, isCut, latest } = toCount(connection.prepare(countAll).get({ now }), now);
      const sessions = isCut ? Number(connection.prepare(countUnrevoked).get()?.["number"]) : number;
      const epoch = Number(connection.prepare(raiseGlobalEpoch).get({ reason, now })?.["epoch"]);
      revokeRows({ ...restOfAll, subject: { epoch }, reason }, now);
      const until = toEnd(now, latest);
      const entry = feed.append({ kind: "all", epoch, at: now, until, reason, confirm });
      return { sessions, ...entry };
    },
  };

  function countRows(userId: string): number {
    return Number(connection.prepare(countUnrevokedOfUser).get({ userId })?.["number"]);
  }
}
