import type { Revocation } from "../../core/revocation.ts";
import type { RevokeReason } from "../../core/session.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import type { Run, Transaction } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { isLive, type RevocationRow, toRevocation } from "./rows.ts";

/** The ways in which sessions end, inside a transaction. Only live sessions end, and only they are counted. */
export interface Revocations {
  /** Ends one session; with `userId`, only where it is that user's. */
  readonly revokeOne: (
    transaction: Transaction,
    sessionId: string,
    reason: RevokeReason,
    userId?: string,
  ) => Promise<RevokedSessions>;
  /** Ends every session of the user but `except`, with an entry for each. The epoch stays. */
  readonly revokeOthers: (
    transaction: Transaction,
    userId: string,
    except: string,
    reason: RevokeReason,
  ) => Promise<RevokedSessions>;
  /** Raises the user's epoch with `change` and ends every session but `except`, with one entry. `null`: no such user. */
  readonly raiseEpoch: (
    transaction: Transaction,
    userId: string,
    reason: RevokeReason,
    change?: UserChange,
  ) => Promise<RaisedEpoch | null>;
  /** Ends every session there is, with one entry. */
  readonly revokeAll: (transaction: Transaction, reason: RevokeReason) => Promise<RevokedSessions>;
}

interface UserChange {
  readonly disable?: boolean;
  readonly passwordHash?: string;
  /** A session that goes on. */
  readonly except?: string;
}

interface RaisedEpoch {
  readonly epoch: number;
  readonly now: number;
  readonly revoked: RevokedSessions;
}

/** Logins hold this lock shared: whoever holds it alone sees every session there is. It ends with the transaction. */
const loginLock = "hashtextextended('tokenpair.sessions', 0)";

/** For the statement with which a login begins. */
export const acquireSharedLoginLock = `pg_advisory_xact_lock_shared(${loginLock})`;

const revokeLive = `UPDATE tokenpair.sessions SET revoked_at = now, revoke_reason = :reason FROM clock WHERE ${isLive}`;

/** Ends the sessions that `condition` names, each with an entry. */
const revokeEach = (condition: string) => `WITH ${clock},
  revoked AS (${revokeLive} AND ${condition} RETURNING id)
  INSERT INTO tokenpair.revocations (kind, key, at) SELECT 'session', id, now FROM revoked, clock
  RETURNING kind, key, epoch, at`;

/** Ends the sessions that `condition` names, all with the one entry `entry`. */
const revokeWithOne = (condition: string, entry: string) => `WITH ${clock},
  revoked AS (${revokeLive} AND ${condition} RETURNING id),
  entry AS (INSERT INTO tokenpair.revocations (kind, key, epoch, at) SELECT ${entry}, now FROM clock
    RETURNING kind, key, epoch, at)
  SELECT kind, key, epoch, at, (SELECT count(*) FROM revoked) AS sessions FROM entry`;

const revokeOne = revokeEach("id = :sessionId AND user_id = coalesce(:userId, user_id)");
const revokeOthers = revokeEach("user_id = :userId AND id <> :except");
const revokeOfUser = revokeWithOne(
  "user_id = :userId AND id IS DISTINCT FROM :except",
  "'user', :userId, :epoch::integer",
);
const revokeAll = revokeWithOne("true", "'all', NULL, NULL::integer");

// Locks the row against the logins that hold it shared, so that the next statement sees their sessions.
const raiseEpoch = `WITH ${clock}
  UPDATE tokenpair.users SET epoch = epoch + 1, is_active = is_active AND NOT :disable::boolean,
    password_hash = coalesce(:passwordHash, password_hash)
  FROM clock WHERE id = :userId RETURNING epoch, now`;

/** The `Endings`; `announce` is called after the commit of each that has an entry. */
export function createRevocations(announce: () => void): Revocations {
  async function revoke({ run, afterCommit }: Transaction, ...statement: Parameters<Run>): Promise<RevokedSessions> {
    const rows = await run<RevocationRow & { sessions?: number }>(...statement);
    const revocations: Revocation[] = rows.map(toRevocation);
    if (revocations.length > 0) afterCommit(announce);
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
      const revoked = await revoke(transaction, revokeOfUser, { userId, reason, except: except ?? null, ...raised });
      return { ...raised, revoked };
    },

    async revokeAll(transaction, reason) {
      await transaction.run(`SELECT pg_advisory_xact_lock(${loginLock})`);
      return revoke(transaction, revokeAll, { reason });
    },
  };
}
