import type { RevokeReason } from "../../core/session.ts";
import type { AuditOf } from "../../core/store/audit.ts";
import type { CreatedSession, NewSession, SessionSnapshot, SessionStore } from "../../core/store/sessions.ts";
import { nothingRevoked } from "../../core/store/sessions.ts";
import { mostCounted } from "../revocation-row.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection, Run, Transaction } from "./connection/connection.ts";
import type { Behaviour } from "./connection/options.ts";
import { clock } from "./connection/statement.ts";
import { acquireSharedLoginLock, type Revocations } from "./revocations.ts";
import { createRotate } from "./rotate.ts";
import { globalEpoch, isLive, isLiveInEpoch, isUsable, type SessionRow, sessionColumns, toSessionAt } from "./rows.ts";

/** How many sessions beyond the limit one login revokes. */
const mostLimited = 10;

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
   persistent, user_agent, ip, cleanup_at, access_until)
  SELECT :id, :userId, :userEpoch::integer, 0, :currentHash, now, now, idle, absolute,
   :persistent::boolean, :userAgent, :ip, idle,
   least(now + :accessLifetime::bigint, absolute) FROM clock, expiry
  RETURNING ${sessionColumns}, created_at AS now, ${globalEpoch} AS "globalEpoch", ${knowsDevice} AS "isKnown"`;

const touch = `WITH ${clock}
  UPDATE tokenpair.sessions SET last_used_at = now,
    access_until = greatest(access_until, least(now + :accessLifetime::bigint, absolute_expires_at)),
    rotated_at = CASE WHEN :issuesRefreshToken::boolean THEN now ELSE rotated_at END,
    user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  FROM clock WHERE id = :sessionId AND user_id = :userId AND user_epoch >= :userEpoch::bigint
    AND generation = :generation::bigint AND current_hash = :presentedHash AND ${isUsable}
  RETURNING ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch"`;

const label = `WITH ${clock}
  UPDATE tokenpair.sessions SET label = :label
  FROM clock WHERE id = :sessionId AND user_id = :userId AND ${isLiveInEpoch}
  RETURNING ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch"`;

const extendAccess = `UPDATE tokenpair.sessions SET access_until = greatest(access_until, :accessUntil::bigint)
  WHERE id = :sessionId`;

// Rows that another login is revoking at the moment are skipped: the limit is soft.
const selectBeyondLimit = `WITH ${clock}, live AS (
    SELECT id AS live_id, last_used_at AS used FROM tokenpair.sessions, clock
    WHERE user_id = :userId AND user_epoch = :userEpoch::integer AND ${isLive} LIMIT ${mostCounted + 1}),
  excess AS (SELECT live_id FROM live ORDER BY used, live_id
    LIMIT least(${mostLimited}, greatest(0, (SELECT count(*) FROM live) + 1 - :maxSessions::bigint)))
  SELECT id FROM tokenpair.sessions JOIN excess ON id = live_id FOR NO KEY UPDATE OF sessions SKIP LOCKED`;

const lockSession = "SELECT FROM tokenpair.sessions WHERE id = :sessionId FOR UPDATE";

const find = `WITH ${clock}
  SELECT ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch", owner_is_active AS "ownerIsActive",
    owner_epoch AS "ownerEpoch", owner_epoch_reason AS "ownerEpochReason"
  FROM clock, tokenpair.sessions
  LEFT JOIN (SELECT id AS owner_id, is_active AS owner_is_active, epoch AS owner_epoch,
    epoch_reason AS owner_epoch_reason FROM tokenpair.users) AS owner
    ON owner_id = user_id
  WHERE id = :sessionId`;

/**
 * Returns the statement that lists live sessions, newest first. If there are none, it returns one row with the time
 * alone.
 */
const list = (condition: string) => `WITH ${clock}
  SELECT live.*, now FROM clock LEFT JOIN LATERAL (
    SELECT ${sessionColumns} FROM tokenpair.sessions WHERE ${isLiveInEpoch} AND ${condition}
    ORDER BY created_at DESC, id DESC LIMIT :limit) AS live ON true
  ORDER BY "createdAt" DESC, id DESC`;
const listAll = list("true");
const listForUser = list("user_id = :userId");

type FoundRow = SessionRow & {
  readonly ownerIsActive: boolean | null;
  readonly ownerEpoch: number;
  readonly ownerEpochReason: RevokeReason | null;
};

/** Creates the store of the table `sessions`. */
export function createSessionStore(
  connection: PostgresConnection,
  revocations: Revocations,
  behaviour: Behaviour,
): SessionStore {
  async function readSnapshot(run: Run, sessionId: string): Promise<SessionSnapshot | null> {
    const [row] = await run<FoundRow>(find, { sessionId });
    if (row === undefined) return null;
    const { now, globalEpoch: ge, ownerIsActive: isActive, ownerEpoch: epoch, ownerEpochReason, ...session } = row;
    const user = isActive === null ? null : { isActive, epoch, epochReason: ownerEpochReason };
    return { session, user, now, globalEpoch: ge };
  }

  async function create(transaction: Transaction, session: NewSession, audit: AuditOf<CreatedSession> | undefined) {
    const { run } = transaction;
    const { replaces, updateLastLogin, maxSessions, ...row } = session;
    const { userId } = session;
    const lock = lockUser(updateLastLogin ? "NO KEY UPDATE" : "SHARE");
    const [user] = await run<{ isActive: boolean; epoch: number; hasLoggedIn: boolean }>(lock, { userId });
    if (user === undefined) return { outcome: "refused", reason: "user_gone" } as const;
    if (!user.isActive) return { outcome: "refused", reason: "user_inactive" } as const;
    if (user.epoch !== session.userEpoch) return { outcome: "refused", reason: "user_epoch_changed" } as const;

    const replaced =
      replaces === undefined
        ? nothingRevoked
        : await revocations.revokeOne(transaction, replaces.sessionId, "replaced", { userId: replaces.userId });
    const limited = maxSessions === null ? [] : await revokeBeyondLimit(transaction, { ...row, maxSessions });
    if (updateLastLogin) await run(setLastLogin, { userId });
    const [inserted] = await run<SessionRow & { readonly isKnown: boolean }>(insert, {
      ...row,
      hasLoggedIn: user.hasLoggedIn,
    });
    const { now, globalEpoch: epoch, isKnown, ...created } = inserted as NonNullable<typeof inserted>;
    return recordChange<CreatedSession>(run, audit, {
      outcome: "created",
      session: created,
      now,
      globalEpoch: epoch,
      revocations: [...replaced.revocations, ...limited.flatMap(({ revocations: entries }) => entries)],
      limited: limited.flatMap(({ id, sessions }) => (sessions === 1 ? [id] : [])),
      isNewDevice: !isKnown,
    });
  }

  /** Revokes the least recently used sessions of a user who has too many. The caller holds the user's row. */
  async function revokeBeyondLimit(
    transaction: Transaction,
    { userId, userEpoch, maxSessions }: Pick<NewSession, "userId" | "userEpoch"> & { readonly maxSessions: number },
  ) {
    const excess = await transaction.run<{ id: string }>(selectBeyondLimit, { userId, userEpoch, maxSessions });
    const revoked = [];
    for (const { id } of excess) revoked.push({ id, ...(await revocations.revokeOne(transaction, id, "limit")) });
    return revoked;
  }

  return {
    create: (session, audit) =>
      connection.transact("sessions.create", (transaction) => create(transaction, session, audit)),

    rotate: createRotate(connection, behaviour),

    touch: async (use) =>
      toSessionAt(await connection.run("sessions.touch", touch, { issuesRefreshToken: false, ...use })),

    decide: (sessionId, decide, { audit, confirm } = {}) =>
      connection.transact("sessions.decide", async (transaction) => {
        const { run } = transaction;
        await run(lockSession, { sessionId });
        const { result, revoke: reason, accessUntil } = decide(await readSnapshot(run, sessionId));
        if (accessUntil !== undefined) await run(extendAccess, { sessionId, accessUntil });
        const revoked =
          reason === undefined
            ? nothingRevoked
            : await revocations.revokeOne(transaction, sessionId, reason, { confirm });
        return recordChange(run, audit, { result, ...revoked });
      }),

    find: (sessionId) => readSnapshot((sql, parameters) => connection.run("sessions.find", sql, parameters), sessionId),

    async list({ userId, limit }) {
      const rows = await connection.run<SessionRow>(
        "sessions.list",
        userId === undefined ? listAll : listForUser,
        userId === undefined ? { limit } : { userId, limit },
      );
      const sessions = rows.filter(({ id }) => id !== null).map(({ now, globalEpoch: _, ...session }) => session);
      return { sessions, now: (rows[0] as SessionRow).now };
    },

    async label(sessionId, userId, text) {
      return (
        toSessionAt(await connection.run("sessions.label", label, { sessionId, userId, label: text }))?.session ?? null
      );
    },

    revoke: (sessionId, reason, { audit, ...options } = {}) =>
      connection.transact("sessions.revoke", async (transaction) =>
        recordChange(transaction.run, audit, await revocations.revokeOne(transaction, sessionId, reason, options)),
      ),

    revokeForUser: (userId, reason, { audit, confirm } = {}) =>
      connection.transact("sessions.revokeForUser", async (transaction) => {
        const raised = await revocations.raiseEpoch(transaction, userId, reason, { confirm });
        return recordChange(transaction.run, audit, raised?.revoked ?? nothingRevoked);
      }),

    revokeOthers: (owner, reason, { audit, ...options } = {}) =>
      connection.transact("sessions.revokeOthers", async (transaction) =>
        recordChange(transaction.run, audit, await revocations.revokeOthers(transaction, owner, reason, options)),
      ),

    revokeAll: (reason, { audit, confirm } = {}) =>
      connection.transact(
        "sessions.revokeAll",
        async (transaction) =>
          recordChange(transaction.run, audit, await revocations.revokeAll(transaction, reason, { confirm })),
        { isUnbounded: true },
      ),
  };
}
