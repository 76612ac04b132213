import type { CommitPosition } from "../../core/revocation.ts";
import type { RevokeReason } from "../../core/session.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import {
  longestUnknownAccess,
  mostCounted,
  type RevocationRow,
  toReasonCode,
  toRevocation,
} from "../revocation-row.ts";
import type { Run, Transaction } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { toPosition } from "./feed/cursor.ts";
import { accessEnd, incarnation, isLive, isLiveInEpoch } from "./rows.ts";

/** How to write an entry of the feed. */
export interface EntryOptions {
  readonly reason: RevokeReason;
  /** Whether a caller waits until every node has applied the entry. */
  readonly confirm?: boolean | undefined;
}

/**
 * Revokes live sessions and appends entries to the feed, in the caller's transaction. The returned counts include only the
 * sessions that it revoked.
 */
export interface Revocations {
  /** Revokes one session. With `userId`, revokes it only if it belongs to that user. */
  readonly revokeOne: (
    transaction: Transaction,
    sessionId: string,
    options: EntryOptions & { readonly userId?: string | undefined },
  ) => Promise<RevokedSessions>;
  /** Revokes some sessions, each with its own feed entry. */
  readonly revokeEach: (
    transaction: Transaction,
    sessionIds: readonly string[],
    options: EntryOptions,
  ) => Promise<RevokedSessions>;
  /**
   * Raises the user's epoch and moves one session to the new epoch, with one feed entry. The rows of the user's other
   * sessions don't change. Returns `null` if the user isn't active or has no such live session.
   */
  readonly revokeOthers: (
    transaction: Transaction,
    owner: { readonly sessionId: string; readonly userId: string },
    options: EntryOptions,
  ) => Promise<RevokedSessions | null>;
  /** Locks the user and the session. Returns whether the user is active and has this live session. */
  readonly isOwnerLive: (
    transaction: Transaction,
    owner: { readonly sessionId: string; readonly userId: string },
  ) => Promise<boolean>;
  /**
   * Raises the user's epoch, makes `change`, and revokes every session except `except`, with one feed entry. Returns `null`
   * if there is no such user.
   */
  readonly raiseEpoch: (
    transaction: Transaction,
    userId: string,
    options: EntryOptions & UserChange,
  ) => Promise<RaisedEpoch | null>;
  /** Raises the global epoch and revokes every session of every user, with one feed entry. */
  readonly revokeAll: (transaction: Transaction, options: EntryOptions) => Promise<RevokedSessions>;
}

/** The other changes of a user whose epoch is raised. */
interface UserChange {
  readonly disable?: boolean;
  readonly passwordHash?: string;
  /** A session whose row is not revoked. Its access tokens are revoked anyway. */
  readonly except?: string;
}

/** The new epoch of a user, and the sessions that were revoked. */
interface RaisedEpoch {
  readonly epoch: number;
  /** The time of the change, in whole seconds since the epoch. */
  readonly now: number;
  readonly revoked: RevokedSessions;
}

/** The columns that a statement returns for an entry that it has appended. */
export const appendedColumns = `kind, key, epoch, at, until, except_key AS "exceptKey", reason, confirm, seq,
  xid::text AS xid, ${incarnation} AS incarnation`;

/** A row with `appendedColumns`. */
export type AppendedRow = RevocationRow & {
  readonly seq: number;
  readonly xid: string;
  readonly incarnation: string;
};

/**
 * The login lock. Every login holds it as a shared lock until its transaction ends. A transaction that holds it exclusively
 * sees the sessions of all logins.
 */
const loginLock = "hashtextextended('tokenpair.sessions', 0)";

/** A SQL expression that takes the login lock as a shared lock. Use it in the first statement of a login. */
export const acquireSharedLoginLock = `pg_advisory_xact_lock_shared(${loginLock})`;

/**
 * A SQL expression, for statements with `clock` and `installation`: the time at which the tokens that are being issued now
 * will have expired.
 */
export const longestEnd = `now + CASE longest_access WHEN 0 THEN ${longestUnknownAccess} ELSE longest_access END`;

const revokeLive = "UPDATE tokenpair.sessions SET revoked_at = now, revoke_reason = :reason";

const revokeWithOwn = (condition: string) => `WITH ${clock},
  revoked AS (${revokeLive} FROM clock
    WHERE ${isLiveInEpoch} AND ${condition} RETURNING id, access_until)
  INSERT INTO tokenpair.revocations (kind, key, at, until, reason, confirm)
  SELECT 'session', id, now, greatest(${accessEnd}, ${longestEnd}), :code::smallint, :confirm::boolean
  FROM revoked, clock, tokenpair.installation RETURNING ${appendedColumns}`;

const revokeOne = revokeWithOwn("id = :sessionId AND user_id = coalesce(:userId, user_id)");

const revokeEach = revokeWithOwn("id = ANY (:sessionIds::text[])");

/**
 * Returns the statement that revokes the sessions that meet `condition`, with one feed entry of `columns`. The entry lasts
 * as long as the access tokens of the sessions that meet `covered`. `counted` selects the number of sessions that were
 * live. Sessions with an epoch below the user's don't count.
 */
const revokeWithOne = (condition: string, covered: string, columns: string, counted: string) => `WITH ${clock},
  lasting AS (SELECT max(${accessEnd}) AS latest FROM tokenpair.sessions, clock WHERE ${isLive} AND ${covered}),
  revoked AS (${revokeLive} FROM clock WHERE ${isLive} AND ${condition} RETURNING user_id, user_epoch),
  entry AS (INSERT INTO tokenpair.revocations (kind, key, epoch, at, until, reason, confirm)
    SELECT ${columns}, now, greatest(latest, ${longestEnd}), :code::smallint, :confirm::boolean
    FROM clock, lasting, tokenpair.installation RETURNING *)
  SELECT ${appendedColumns}, (${counted}) AS sessions FROM entry`;

const revokeForUser = revokeWithOne(
  "user_id = :userId AND id IS DISTINCT FROM :except",
  "user_id = :userId",
  "'user', :userId, :epoch::integer",
  "SELECT count(*) FROM revoked WHERE user_epoch >= :epoch::integer - 1",
);
const revokeAll = revokeWithOne(
  "true",
  "true",
  "'all', NULL, :epoch::integer",
  "SELECT count(*) FROM revoked JOIN tokenpair.users ON users.id = user_id AND users.epoch = user_epoch",
);

// Locks the row against logins, which hold it shared. So the next statement sees their sessions.
const raiseEpoch = `WITH ${clock}
  UPDATE tokenpair.users SET epoch = epoch + 1, epoch_reason = :reason, is_active = is_active AND NOT :disable::boolean,
    password_hash = coalesce(:passwordHash, password_hash)
  FROM clock WHERE id = :userId RETURNING epoch, now`;

// No other transaction revokes the session or raises the epoch until the transaction ends.
const lockLiveOwner = `WITH ${clock}
  SELECT FROM clock, tokenpair.users, tokenpair.sessions
  WHERE users.id = :userId AND is_active AND sessions.id = :sessionId AND user_id = users.id AND user_epoch = epoch
    AND ${isLive}
  FOR UPDATE OF users, sessions`;

const moveToEpoch = `UPDATE tokenpair.sessions SET user_epoch = :epoch::integer,
  least_epoch = coalesce(least_epoch, user_epoch)
  WHERE id = :sessionId`;

// The rows of the others are only counted. With more of them, the entry lasts as long as any access token can.
const appendException = `WITH ${clock},
  others AS (SELECT ${accessEnd} AS latest FROM tokenpair.sessions, clock
    WHERE user_id = :userId AND id <> :sessionId AND user_epoch = :epoch::integer - 1 AND ${isLive}
    LIMIT ${mostCounted + 1}),
  counted AS (SELECT count(*) AS number, max(latest) AS latest FROM others),
  entry AS (INSERT INTO tokenpair.revocations (kind, key, epoch, except_key, at, until, reason, confirm)
    SELECT 'user', :userId, :epoch::integer, :sessionId, now, greatest(latest, ${longestEnd},
      CASE WHEN number > ${mostCounted} THEN now + ${longestUnknownAccess} END,
      (SELECT ${accessEnd} FROM tokenpair.sessions WHERE id = :sessionId)), :code::smallint, :confirm::boolean
    FROM clock, counted, tokenpair.installation RETURNING *)
  SELECT ${appendedColumns}, (SELECT least(number, ${mostCounted}) FROM counted) AS sessions FROM entry`;

const raiseGlobalEpoch = `WITH ${clock}
  UPDATE tokenpair.installation SET global_epoch = global_epoch + 1, all_revoked_at = now
  FROM clock RETURNING global_epoch AS epoch`;

/**
 * Creates the revocations of a store.
 *
 * @param notify called after the commit of every transaction that has appended to the feed. Its argument says whether a
 * caller waits.
 */
export function createRevocations(notify: (isAwaited: boolean) => void): Revocations {
  async function revoke({ run, afterCommit }: Transaction, ...statement: Parameters<Run>): Promise<RevokedSessions> {
    const rows = await run<AppendedRow & { readonly sessions?: number }>(...statement);
    const [first] = rows;
    if (first === undefined) return { sessions: 0, revocations: [] };
    afterCommit(() => notify(first.confirm === true));
    const sessions = first.sessions ?? rows.length;
    return { sessions, revocations: rows.map(toRevocation), position: toCommitPosition(first) };
  }

  return {
    revokeOne: (transaction, sessionId, { reason, confirm = false, userId = null }) =>
      revoke(transaction, revokeOne, { sessionId, userId, reason, code: toReasonCode(reason), confirm }),

    revokeEach: (transaction, sessionIds, { reason, confirm = false }) =>
      revoke(transaction, revokeEach, { sessionIds, reason, code: toReasonCode(reason), confirm }),

    isOwnerLive,

    async revokeOthers(transaction, owner, { reason, confirm = false }) {
      const { run } = transaction;
      if (!(await isOwnerLive(transaction, owner))) return null;
      const { userId } = owner;
      const change = { userId, reason, disable: false, passwordHash: null };
      const [raised] = await run<{ epoch: number; now: number }>(raiseEpoch, change);
      if (raised === undefined) return null;
      const { epoch, now } = raised;
      await run(moveToEpoch, { sessionId: owner.sessionId, epoch });
      return revoke(transaction, appendException, { ...owner, epoch, now, code: toReasonCode(reason), confirm });
    },

    async raiseEpoch(transaction, userId, { reason, disable = false, passwordHash, except, confirm = false }) {
      const change = { userId, reason, disable, passwordHash: passwordHash ?? null };
      const [raised] = await transaction.run<{ epoch: number; now: number }>(raiseEpoch, change);
      if (raised === undefined) return null;
      const entry = { code: toReasonCode(reason), confirm };
      const subject = { userId, reason, except: except ?? null };
      const revoked = await revoke(transaction, revokeForUser, { ...subject, ...entry, ...raised });
      return { ...raised, revoked };
    },

    async revokeAll(transaction, { reason, confirm = false }) {
      const { run } = transaction;
      await run(`SELECT pg_advisory_xact_lock(${loginLock})`);
      // Before the sessions: a rotation at the same time either read the old epoch, or finds its session revoked.
      const [raised] = await run<{ epoch: number }>(raiseGlobalEpoch);
      const epoch = raised?.epoch ?? null;
      return revoke(transaction, revokeAll, { reason, code: toReasonCode(reason), epoch, confirm });
    },
  };
}

async function isOwnerLive(
  { run }: Transaction,
  owner: { readonly sessionId: string; readonly userId: string },
): Promise<boolean> {
  return (await run(lockLiveOwner, { ...owner })).length > 0;
}

/** Returns the position of the transaction that appended this row. */
export function toCommitPosition({ incarnation: start, xid, seq }: AppendedRow): CommitPosition {
  return toPosition({ incarnation: start, xid, seq });
}
