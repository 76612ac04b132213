import type { AuditOf } from "../../core/store/audit.ts";
import type { CreatedSession, NewSession, SessionSnapshot, SessionStore } from "../../core/store/sessions.ts";
import { nothingRevoked } from "../../core/store/sessions.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection, Run, Transaction } from "./connection/connection.ts";
import type { Behaviour } from "./connection/options.ts";
import { clock } from "./connection/statement.ts";
import { acquireSharedLoginLock, type Revocations } from "./revocations.ts";
import { createRotate } from "./rotate.ts";
import { isLive, isUsable, type SessionRow, sessionColumns, toSessionAt } from "./rows.ts";

// FOR SHARE waits for a change of the epoch and makes it wait; FOR KEY SHARE would not. Logins that also update the row
// lock it exclusively: if two of them held it shared, each would wait for the other.
const lockUser = (lock: "SHARE" | "NO KEY UPDATE") => `
  SELECT is_active AS "isActive", epoch, last_login_at IS NOT NULL AS "hasLoggedIn", ${acquireSharedLoginLock} FROM tokenpair.users WHERE id = :userId FOR ${lock}`;

const setLastLogin = `WITH ${clock} UPDATE tokenpair.users SET last_login_at = now FROM clock WHERE id = :userId`;

// A login without a user agent can't be from a new device, and neither can the user's first login. A statement does not
// see the row that it inserts.
const knowsDevice = `(user_agent IS NULL
  OR NOT (:hasLoggedIn::boolean
    OR EXISTS (SELECT FROM tokenpair.sessions AS earlier WHERE earlier.user_id = :userId AND revoked_at IS NULL)
    OR EXISTS (SELECT FROM tokenpair.audit_log AS entry WHERE type = 'login' AND entry.user_id = :userId))
  OR EXISTS (SELECT FROM tokenpair.sessions AS earlier WHERE earlier.user_id = :userId
    AND earlier.user_agent = :userAgent AND revoked_at IS NULL)
  OR EXISTS (SELECT FROM tokenpair.audit_log AS entry WHERE type = 'login' AND entry.user_id = :userId
    AND hashtextextended(entry.user_agent, 0) = hashtextextended(:userAgent, 0) AND entry.user_agent = :userAgent))`;

const insert = `WITH ${clock}, expiry AS (
    SELECT least(now + :idleLifetime::bigint, now + :absoluteLifetime::bigint) AS idle,
      now + :absoluteLifetime::bigint AS absolute FROM clock)
  INSERT INTO tokenpair.sessions
  (id, user_id, user_epoch, generation, current_hash, created_at, last_used_at, idle_expires_at, absolute_expires_at,
   persistent, user_agent, ip, cleanup_at)
  SELECT :id, :userId, :userEpoch::integer, 0, :currentHash, now, now, idle, absolute,
   :persistent::boolean, :userAgent, :ip, idle FROM clock, expiry
  RETURNING ${sessionColumns}, created_at AS now, ${knowsDevice} AS "isKnown"`;

const touch = `WITH ${clock}
  UPDATE tokenpair.sessions SET last_used_at = now,
    rotated_at = CASE WHEN :issuesRefreshToken::boolean THEN now ELSE rotated_at END,
    user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  FROM clock WHERE id = :sessionId AND user_id = :userId AND user_epoch >= :userEpoch::bigint
    AND generation = :generation::bigint AND current_hash = :presentedHash AND ${isUsable}
  RETURNING ${sessionColumns}, now`;

const label = `WITH ${clock}
  UPDATE tokenpair.sessions SET label = :label
  FROM clock WHERE id = :sessionId AND user_id = :userId AND ${isLive} RETURNING ${sessionColumns}, now`;

const lockSession = "SELECT FROM tokenpair.sessions WHERE id = :sessionId FOR UPDATE";

const find = `WITH ${clock}
  SELECT ${sessionColumns}, now, owner_is_active AS "ownerIsActive", owner_epoch AS "ownerEpoch"
  FROM clock, tokenpair.sessions
  LEFT JOIN (SELECT id AS owner_id, is_active AS owner_is_active, epoch AS owner_epoch FROM tokenpair.users) AS owner
    ON owner_id = user_id
  WHERE id = :sessionId`;

/**
 * Returns the statement that lists live sessions, newest first. If there are none, it returns one row with the time
 * alone.
 */
const list = (condition: string) => `WITH ${clock}
  SELECT live.*, now FROM clock LEFT JOIN LATERAL (
    SELECT ${sessionColumns} FROM tokenpair.sessions WHERE ${isLive} AND ${condition}
    ORDER BY created_at DESC, id DESC LIMIT :limit) AS live ON true
  ORDER BY "createdAt" DESC, id DESC`;
const listAll = list("true");
const listForUser = list("user_id = :userId");

type FoundRow = SessionRow & { readonly ownerIsActive: boolean | null; readonly ownerEpoch: number };

/** Creates the store of the table `sessions`. */
export function createSessionStore(
  connection: PostgresConnection,
  revocations: Revocations,
  behaviour: Behaviour,
): SessionStore {
  async function readSnapshot(run: Run, sessionId: string): Promise<SessionSnapshot | null> {
    const [row] = await run<FoundRow>(find, { sessionId });
    if (row === undefined) return null;
    const { now, ownerIsActive: isActive, ownerEpoch: epoch, ...session } = row;
    return { session, user: isActive === null ? null : { isActive, epoch }, now };
  }

  async function create(transaction: Transaction, session: NewSession, audit: AuditOf<CreatedSession> | undefined) {
    const { run } = transaction;
    const { replaces, updateLastLogin, ...row } = session;
    const { userId } = session;
    const lock = lockUser(updateLastLogin ? "NO KEY UPDATE" : "SHARE");
    const [user] = await run<{ isActive: boolean; epoch: number; hasLoggedIn: boolean }>(lock, { userId });
    if (user === undefined) return { outcome: "refused", reason: "user_gone" } as const;
    if (!user.isActive) return { outcome: "refused", reason: "user_inactive" } as const;
    if (user.epoch !== session.userEpoch) return { outcome: "refused", reason: "user_epoch_changed" } as const;

    const replaced =
      replaces === undefined
        ? nothingRevoked
        : await revocations.revokeOne(transaction, replaces.sessionId, "replaced", replaces.userId);
    if (updateLastLogin) await run(setLastLogin, { userId });
    const [inserted] = await run<SessionRow & { readonly isKnown: boolean }>(insert, {
      ...row,
      hasLoggedIn: user.hasLoggedIn,
    });
    const { now, isKnown, ...created } = inserted as NonNullable<typeof inserted>;
    return recordChange<CreatedSession>(run, audit, {
      outcome: "created",
      session: created,
      now,
      revocations: replaced.revocations,
      isNewDevice: !isKnown,
    });
  }

  return {
    create: (session, audit) =>
      connection.transact("sessions.create", (transaction) => create(transaction, session, audit)),

    rotate: createRotate(connection, behaviour),

    touch: async (use) =>
      toSessionAt(await connection.run("sessions.touch", touch, { issuesRefreshToken: false, ...use })),

    decide: (sessionId, decide, audit) =>
      connection.transact("sessions.decide", async (transaction) => {
        const { run } = transaction;
        await run(lockSession, { sessionId });
        const { result, revoke: reason } = decide(await readSnapshot(run, sessionId));
        const revoked =
          reason === undefined ? nothingRevoked : await revocations.revokeOne(transaction, sessionId, reason);
        return recordChange(run, audit, { result, ...revoked });
      }),

    find: (sessionId) => readSnapshot((sql, parameters) => connection.run("sessions.find", sql, parameters), sessionId),

    async list({ userId, limit }) {
      const rows = await connection.run<SessionRow>(
        "sessions.list",
        userId === undefined ? listAll : listForUser,
        userId === undefined ? { limit } : { userId, limit },
      );
      const sessions = rows.filter(({ id }) => id !== null).map(({ now, ...session }) => session);
      return { sessions, now: (rows[0] as SessionRow).now };
    },

    async label(sessionId, userId, text) {
      return (
        toSessionAt(await connection.run("sessions.label", label, { sessionId, userId, label: text }))?.session ?? null
      );
    },

    revoke: (sessionId, reason, { userId, audit } = {}) =>
      connection.transact("sessions.revoke", async (transaction) =>
        recordChange(transaction.run, audit, await revocations.revokeOne(transaction, sessionId, reason, userId)),
      ),

    revokeForUser: (userId, reason, { except, audit } = {}) =>
      connection.transact("sessions.revokeForUser", async (transaction) => {
        const revoked =
          except === undefined
            ? (await revocations.raiseEpoch(transaction, userId, reason))?.revoked
            : await revocations.revokeOthers(transaction, userId, except, reason);
        return recordChange(transaction.run, audit, revoked ?? nothingRevoked);
      }),

    revokeAll: (reason, audit) =>
      connection.transact(
        "sessions.revokeAll",
        async (transaction) => recordChange(transaction.run, audit, await revocations.revokeAll(transaction, reason)),
        { isUnbounded: true },
      ),
  };
}
