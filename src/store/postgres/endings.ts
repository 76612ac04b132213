import type { Revocation } from "../../core/revocation.ts";
import type { RevokeReason } from "../../core/session.ts";
import type { Ended } from "../../core/store.ts";
import type { Run, Transaction } from "./connection.ts";
import { isLive, type RevocationRow, toRevocation } from "./rows.ts";
import { clock } from "./statement.ts";

/** The ways in which sessions end, inside a transaction. Only live sessions end, and only they are counted. */
export interface Endings {
  /** Ends one session; with `userId`, only where it is that user's. */
  readonly endSession: (
    transaction: Transaction,
    sessionId: string,
    reason: RevokeReason,
    userId?: string,
  ) => Promise<Ended>;
  /** Ends every session of the user but `except`, with an entry for each. The epoch stays. */
  readonly endOthers: (
    transaction: Transaction,
    userId: string,
    except: string,
    reason: RevokeReason,
  ) => Promise<Ended>;
  /** Raises the user's epoch with `change` and ends every session but `except`, with one entry. `null`: no such user. */
  readonly raiseEpoch: (
    transaction: Transaction,
    userId: string,
    reason: RevokeReason,
    change?: UserChange,
  ) => Promise<RaisedEpoch | null>;
  /** Ends every session there is, with one entry. */
  readonly endAll: (transaction: Transaction, reason: RevokeReason) => Promise<Ended>;
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
  readonly ended: Ended;
}

/** Logins hold this lock shared: whoever holds it alone sees every session there is. It ends with the transaction. */
const loginLock = "hashtextextended('tokenpair.sessions', 0)";

/** For the statement with which a login begins. */
export const joinLogins = `pg_advisory_xact_lock_shared(${loginLock})`;

const endLive = `UPDATE tokenpair.sessions SET revoked_at = now, revoke_reason = :reason FROM clock WHERE ${isLive}`;

/** Ends the sessions that `condition` names, each with an entry. */
const endEach = (condition: string) => `WITH ${clock},
  ended AS (${endLive} AND ${condition} RETURNING id)
  INSERT INTO tokenpair.revocations (kind, key, at) SELECT 'session', id, now FROM ended, clock
  RETURNING kind, key, epoch, at`;

/** Ends the sessions that `condition` names, all with the one entry `entry`. */
const endWithOne = (condition: string, entry: string) => `WITH ${clock},
  ended AS (${endLive} AND ${condition} RETURNING id),
  entry AS (INSERT INTO tokenpair.revocations (kind, key, epoch, at) SELECT ${entry}, now FROM clock
    RETURNING kind, key, epoch, at)
  SELECT kind, key, epoch, at, (SELECT count(*) FROM ended) AS sessions FROM entry`;

const endSession = endEach("id = :sessionId AND user_id = coalesce(:userId, user_id)");
const endOthers = endEach("user_id = :userId AND id <> :except");
const endOfUser = endWithOne("user_id = :userId AND id IS DISTINCT FROM :except", "'user', :userId, :epoch::integer");
const endAll = endWithOne("true", "'all', NULL, NULL::integer");

// Locks the row against the logins that hold it shared, so that the next statement sees their sessions.
const raiseEpoch = `WITH ${clock}
  UPDATE tokenpair.users SET epoch = epoch + 1, is_active = is_active AND NOT :disable::boolean,
    password_hash = coalesce(:passwordHash, password_hash)
  FROM clock WHERE id = :userId RETURNING epoch, now`;

/** The `Endings`; `announce` is called after the commit of each that has an entry. */
export function createEndings(announce: () => void): Endings {
  async function end({ run, afterCommit }: Transaction, ...statement: Parameters<Run>): Promise<Ended> {
    const rows = await run<RevocationRow & { sessions?: number }>(...statement);
    const revocations: Revocation[] = rows.map(toRevocation);
    if (revocations.length > 0) afterCommit(announce);
    return { sessions: rows[0]?.sessions ?? rows.length, revocations };
  }

  return {
    endSession: (transaction, sessionId, reason, userId) =>
      end(transaction, endSession, { sessionId, reason, userId: userId ?? null }),

    endOthers: (transaction, userId, except, reason) => end(transaction, endOthers, { userId, except, reason }),

    async raiseEpoch(transaction, userId, reason, { disable = false, passwordHash, except } = {}) {
      const change = { userId, disable, passwordHash: passwordHash ?? null };
      const [raised] = await transaction.run<{ epoch: number; now: number }>(raiseEpoch, change);
      if (raised === undefined) return null;
      const ended = await end(transaction, endOfUser, { userId, reason, except: except ?? null, ...raised });
      return { ...raised, ended };
    },

    async endAll(transaction, reason) {
      await transaction.run(`SELECT pg_advisory_xact_lock(${loginLock})`);
      return end(transaction, endAll, { reason });
    },
  };
}
