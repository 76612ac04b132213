import { type CreatedSession, nothingRevoked } from "../../core/store/sessions.ts";
import { mostCounted } from "../revocation-row.ts";
import { findUserRefusal, type SessionToInsert, type UserRefusal } from "../session-to-insert.ts";
import type { Transaction } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { acquireSharedLoginLock, type Revocations } from "./revocations.ts";
import { globalEpoch, isLive, type SessionRow, sessionColumns } from "./rows.ts";

/** The maximum number of sessions beyond the limit that one login revokes. */
const mostLimited = 10;

// FOR SHARE waits for a change of the epoch and makes it wait; FOR KEY SHARE would not. Logins that also update the row
// lock it exclusively: if two of them held it shared, each would wait for the other.
const lockUser = (lock: "SHARE" | "NO KEY UPDATE") => `
  SELECT is_active AS "isActive", epoch, last_login_at IS NOT NULL AS "hasLoggedIn",
    imported AS "isImported", ${acquireSharedLoginLock} FROM tokenpair.users WHERE id = :userId FOR ${lock}`;

const setLastLogin = `WITH ${clock} UPDATE tokenpair.users SET last_login_at = now FROM clock WHERE id = :userId`;

// Without an actor: they say on which devices the user has logged in.
const earlierSession = `tokenpair.sessions AS earlier
  WHERE earlier.user_id = :userId AND earlier.revoked_at IS NULL AND earlier.actor IS NULL`;
const earlierLogin = `tokenpair.audit_log AS entry
  WHERE entry.type = 'login' AND entry.user_id = :userId AND entry.actor IS NULL`;

// A login without a user agent can't be from a new device, and neither can the user's first login. A statement does not
// see the row that it inserts.
const knowsDevice = `(user_agent IS NULL
  OR NOT (:hasLoggedIn::boolean
    OR EXISTS (SELECT FROM ${earlierSession})
    OR EXISTS (SELECT FROM ${earlierLogin}))
  OR EXISTS (SELECT FROM ${earlierSession} AND earlier.user_agent = :userAgent)
  OR EXISTS (SELECT FROM ${earlierLogin}
    AND hashtextextended(entry.user_agent, 0) = hashtextextended(:userAgent, 0) AND entry.user_agent = :userAgent))`;

// With a previous hash, it is the first generation that has a time at which it was made.
const insert = `WITH ${clock}, expiry AS (
    SELECT least(now + :idleLifetime::bigint, now + :absoluteLifetime::bigint) AS idle,
      now + :absoluteLifetime::bigint AS absolute FROM clock)
  INSERT INTO tokenpair.sessions
  (id, user_id, user_epoch, generation, current_hash, previous_hash, salt, attempt_hash, rotated_at, created_at, last_used_at,
   idle_expires_at, absolute_expires_at, persistent, user_agent, ip, cleanup_at, access_until, authenticated_at, amr, actor)
  SELECT :id, :userId, :userEpoch::integer, 0, :currentHash, :previousHash::bytea, :salt::bytea, :idempotencyHash::bytea,
   CASE WHEN :previousHash::bytea IS NOT NULL THEN now END, now, now, idle, absolute, :persistent::boolean, :userAgent, :ip, idle,
   least(now + :accessLifetime::bigint, absolute), least(:authenticatedAt::bigint, now), :amr, :actor FROM clock, expiry
  RETURNING ${sessionColumns}, created_at AS now, ${globalEpoch} AS "globalEpoch", ${knowsDevice} AS "isKnown"`;

// Rows that another login is revoking at the moment are skipped: the limit is soft.
const selectBeyondLimit = `WITH ${clock}, live AS (
    SELECT id AS live_id, last_used_at AS used FROM tokenpair.sessions, clock
    WHERE user_id = :userId AND user_epoch = :userEpoch::integer AND actor IS NULL AND ${isLive} LIMIT ${mostCounted + 1}),
  excess AS (SELECT live_id FROM live ORDER BY used, live_id
    LIMIT least(${mostLimited}, greatest(0, (SELECT count(*) FROM live) + 1 - :maxSessions::bigint)))
  SELECT id FROM tokenpair.sessions JOIN excess ON id = live_id FOR NO KEY UPDATE OF sessions SKIP LOCKED`;

/** The user of a new session. The user's row is locked. */
export interface LockedUser {
  readonly isActive: boolean;
  readonly epoch: number;
  readonly hasLoggedIn: boolean;
  readonly isImported: boolean;
}

/** Inserts sessions, in the caller's transaction. */
export interface SessionInserter {
  /**
   * Locks the user's row and the login lock until the transaction ends.
   *
   * @returns the user, and the reason why the session can't be inserted, or `null` if it can be inserted.
   */
  readonly lockUser: (
    transaction: Transaction,
    session: SessionToInsert,
  ) => Promise<
    | { readonly refusal: UserRefusal; readonly user: LockedUser | undefined }
    | { readonly refusal: null; readonly user: LockedUser }
  >;
  /**
   * Inserts a session. Revokes the session that it replaces, and sessions beyond the limit. Call it only if the session may
   * be inserted.
   */
  readonly insert: (transaction: Transaction, session: SessionToInsert, user: LockedUser) => Promise<CreatedSession>;
}

/** Creates the inserter of a store. */
export function createSessionInserter(revocations: Revocations): SessionInserter {
  /**
   * Revokes the least recently used sessions of a user who has too many sessions. The caller must hold the lock on the
   * user's row.
   */
  async function revokeBeyondLimit(
    transaction: Transaction,
    { userId, userEpoch, maxSessions }: Pick<SessionToInsert, "userId" | "userEpoch" | "maxSessions">,
  ) {
    if (maxSessions === null) return [];
    const excess = await transaction.run<{ id: string }>(selectBeyondLimit, { userId, userEpoch, maxSessions });
    const revoked = [];
    for (const { id } of excess)
      revoked.push({ id, ...(await revocations.revokeOne(transaction, id, { reason: "limit" })) });
    return revoked;
  }

  return {
    async lockUser({ run }, session) {
      const lock = lockUser(session.updateLastLogin === true ? "NO KEY UPDATE" : "SHARE");
      const [user] = await run<LockedUser>(lock, { userId: session.userId });
      const refusal = findUserRefusal(user ?? null, session);
      return user === undefined || refusal !== null
        ? { refusal: refusal ?? "user_gone", user }
        : { refusal: null, user };
    },

    async insert(transaction, session, { hasLoggedIn }) {
      const { run } = transaction;
      const { replaces, updateLastLogin, maxSessions: _, ...row } = session;
      const { userId } = session;
      const replaced =
        replaces === undefined
          ? nothingRevoked
          : await revocations.revokeOne(transaction, replaces.sessionId, {
              reason: "replaced",
              userId: replaces.userId,
            });
      const limited = await revokeBeyondLimit(transaction, session);
      if (updateLastLogin) await run(setLastLogin, { userId });
      const { previousHash = null, salt = null, idempotencyHash = null } = session;
      const { authenticatedAt = null, amr = null, actor = null } = session;
      const parameters = { ...row, hasLoggedIn, previousHash, salt, idempotencyHash, authenticatedAt, amr, actor };
      const [inserted] = await run<SessionRow & { readonly isKnown: boolean }>(insert, parameters);
      const { now, globalEpoch: epoch, isKnown, ...created } = inserted as NonNullable<typeof inserted>;
      return {
        outcome: "created",
        session: created,
        now,
        globalEpoch: epoch,
        revocations: [...replaced.revocations, ...limited.flatMap(({ revocations: entries }) => entries)],
        limited: limited.flatMap(({ id, sessions }) => (sessions === 1 ? [id] : [])),
        isNewDevice: !isKnown && actor === null,
      };
    },
  };
}
