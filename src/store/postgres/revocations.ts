import type { RevokeReason } from "../../core/session.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import { type RevocationRow, toRevocation } from "../revocation-row.ts";
import type { Run, Transaction } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { isLive } from "./rows.ts";

/**
 * Revokes live sessions and appends to the feed, in the caller's transaction. Only the sessions it has revoked are
 * counted.
 */
export interface Revocations {
  /** Revokes one session; with `userId`, only if it is that user's. */
  readonly revokeOne: (
    transaction: Transaction,
    sessionId: string,
    reason: RevokeReason,
    userId?: string,
  ) => Promise<RevokedSessions>;
  /** Revokes every session of the user except `except`, with a feed entry for each. The epoch stays. */
  readonly revokeOthers: (
    transaction: Transaction,
    userId: string,
    except: string,
    reason: RevokeReason,
  ) => Promise<RevokedSessions>;
  /**
   * Raises the user's epoch, makes `change` and revokes every session except `except`, with one feed entry. Returns
   * `null` if there is no such user.
   */
  readonly raiseEpoch: (
    transaction: Transaction,
    userId: string,
    reason: RevokeReason,
    change?: UserChange,
  ) => Promise<RaisedEpoch | null>;
  /** Revokes every session of every user, with one feed entry. */
  readonly revokeAll: (transaction: Transaction, reason: RevokeReason) => Promise<RevokedSessions>;
}

/** What else changes about a user whose epoch is raised. */
interface UserChange {
  readonly disable?: boolean;
  readonly passwordHash?: string;
  /** A session to keep. */
  readonly except?: string;
}

/** A user's new epoch, and the sessions that were revoked. */
interface RaisedEpoch {
  readonly epoch: number;
  /** Whole seconds since the epoch. */
  readonly now: number;
  readonly revoked: RevokedSessions;
}

/**
 * Logins hold this lock shared until their transactions end. A transaction that holds it alone sees all of their
 * sessions.
 */
const loginLock = "hashtextextended('tokenpair.sessions', 0)";

/** An expression that takes the login lock shared, for the first statement of a login. */
export const acquireSharedLoginLock = `pg_advisory_xact_lock_shared(${loginLock})`;

const revokeLive = `UPDATE tokenpair.sessions SET revoked_at = now, revoke_reason = :reason FROM clock WHERE ${isLive}`;

/** Returns the statement that revokes the sessions for which `condition` holds, with a feed entry for each. */
const revokeEach = (condition: string) => `WITH ${clock},
  revoked AS (${revokeLive} AND ${condition} RETURNING id)
  INSERT INTO tokenpair.revocations (kind, key, at) SELECT 'session', id, now FROM revoked, clock
  RETURNING kind, key, epoch, at`;

/** Returns the statement that revokes the sessions for which `condition` holds, with the one feed entry `entry`. */
const revokeWithOne = (condition: string, entry: string) => `WITH ${clock},
  revoked AS (${revokeLive} AND ${condition} RETURNING id),
  entry AS (INSERT INTO tokenpair.revocations (kind, key, epoch, at) SELECT ${entry}, now FROM clock
    RETURNING kind, key, epoch, at)
  SELECT kind, key, epoch, at, (SELECT count(*) FROM revoked) AS sessions FROM entry`;

const revokeOne = revokeEach("id = :sessionId AND user_id = coalesce(:userId, user_id)");
const revokeOthers = revokeEach("user_id = :userId AND id <> :except");
const revokeForUser = revokeWithOne(
  "user_id = :userId AND id IS DISTINCT FROM :except",
  "'user', :userId, :epoch::integer",
);
const revokeAll = revokeWithOne("true", "'all', NULL, NULL::integer");

// Locks the row against logins, which hold it shared. So the next statement sees their sessions.
const raiseEpoch = `WITH ${clock}
  UPDATE tokenpair.users SET epoch = epoch + 1, is_active = is_active AND NOT :disable::boolean,
    password_hash = coalesce(:passwordHash, password_hash)
  FROM clock WHERE id = :userId RETURNING epoch, now`;

/**
 * Creates the revocations of a store.
 *
 * @param notify called after the commit of every transaction that has appended to the feed.
 */
export function createRevocations(notify: () => void): Revocations {
  async function revoke({ run, afterCommit }: Transaction, ...statement: Parameters<Run>): Promise<RevokedSessions> {
    const rows = await run<RevocationRow & { readonly sessions?: number }>(...statement);
    const revocations = rows.map(toRevocation);
    if (revocations.length > 0) afterCommit(notify);
    return { sessions: rows[0]?.sessions ?? rows.length, revocations };
  }

  return {
    revokeOne: (transaction, sessionId, reason, userId) =>
      revoke(transaction, revokeOne, { sessionId, reason, userId: userId ?? null }),

    revokeOthers: (transaction, userId, except, reason) =>
      revoke(transaction, revokeOthers, { userId, except, reason }),

    async raiseEpoch(transaction, userId, reason, { disable = false, passwordHash, except } = {}) {
      const change = { userId, disable, passwordHash: passwordHash ?? null };
      const [raised] = await transaction.run<{ epoch: number; now: number }>(raiseEpoch, change);
      if (raised === undefined) return null;
      const revoked = await revoke(transaction, revokeForUser, { userId, reason, except: except ?? null, ...raised });
      return { ...raised, revoked };
    },

    async revokeAll(transaction, reason) {
      await transaction.run(`SELECT pg_advisory_xact_lock(${loginLock})`);
      return revoke(transaction, revokeAll, { reason });
    },
  };
}
