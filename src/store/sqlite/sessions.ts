import type { AuditOf } from "../../core/store/audit.ts";
import type {
  CreatedSession,
  CreateSessionOutcome,
  NewSession,
  SessionSnapshot,
  SessionStore,
} from "../../core/store/sessions.ts";
import { nothingRevoked } from "../../core/store/sessions.ts";
import { recordChange, recordRotation } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import type { Revocations } from "./revocations.ts";
import { isLive, type SessionRow, sessionColumns, toSession } from "./rows.ts";

/** A condition on `sessions`: the user exists, is active and still has the session's epoch. */
const hasActiveUser = `EXISTS (SELECT 1 FROM users
  WHERE users.id = sessions.user_id AND users.is_active = 1 AND users.epoch = sessions.user_epoch)`;

/** A condition on `sessions`: the presented generation is the current one of a live session of this user, who is active. */
const isPresented = `id = :sessionId AND user_id = :userId AND user_epoch >= :userEpoch AND generation = :generation
  AND current_hash = :presentedHash AND ${isLive} AND ${hasActiveUser}`;

const insert = `INSERT INTO sessions
  (id, user_id, user_epoch, generation, current_hash, created_at, last_used_at, idle_expires_at, absolute_expires_at,
   persistent, user_agent, ip, cleanup_at)
  VALUES (:id, :userId, :userEpoch, 0, :currentHash, :now, :now, :idleExpiresAt, :absoluteExpiresAt,
   :persistent, :userAgent, :ip, :idleExpiresAt)
  RETURNING ${sessionColumns}`;

// A login without a user agent can't be from a new device, and neither can the user's first login.
const knowsDevice = `SELECT :userAgent IS NULL
  OR NOT (EXISTS (SELECT 1 FROM users WHERE id = :userId AND last_login_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM sessions WHERE user_id = :userId AND revoked_at IS NULL)
    OR EXISTS (SELECT 1 FROM audit_log WHERE type = 'login' AND user_id = :userId))
  OR EXISTS (SELECT 1 FROM sessions WHERE user_id = :userId AND user_agent = :userAgent AND revoked_at IS NULL)
  OR EXISTS (SELECT 1 FROM audit_log WHERE type = 'login' AND user_id = :userId AND user_agent = :userAgent)
  AS isKnown`;

const rotate = `UPDATE sessions SET generation = generation + 1,
  previous_hash = current_hash, current_hash = :nextHash, salt = :salt, attempt_hash = :idempotencyHash,
  rotated_at = :now, last_used_at = :now, idle_expires_at = min(:now + :idleLifetime, absolute_expires_at),
  user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  WHERE ${isPresented} RETURNING ${sessionColumns}`;

const touch = `UPDATE sessions SET last_used_at = :now, rotated_at = iif(:issuesRefreshToken, :now, rotated_at),
  user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  WHERE ${isPresented} RETURNING ${sessionColumns}`;

const label = `UPDATE sessions SET label = :label
  WHERE id = :sessionId AND user_id = :userId AND ${isLive} RETURNING ${sessionColumns}`;

const listAll = `SELECT ${sessionColumns} FROM sessions WHERE ${isLive} ORDER BY created_at DESC, id DESC LIMIT :limit`;

const listForUser = `SELECT ${sessionColumns} FROM sessions WHERE user_id = :userId AND ${isLive}
  ORDER BY created_at DESC, id DESC LIMIT :limit`;

/** Creates the store of the table `sessions`. */
export function createSessionStore(connection: SqliteConnection, revocations: Revocations): SessionStore {
  function readUser(id: string): { isActive: boolean; epoch: number } | null {
    const row = connection.prepare("SELECT is_active, epoch FROM users WHERE id = :id").get({ id });
    return row === undefined ? null : { isActive: row["is_active"] === 1, epoch: Number(row["epoch"]) };
  }

  function readSnapshot(sessionId: string, now: number): SessionSnapshot | null {
    const row = connection.prepare(`SELECT ${sessionColumns} FROM sessions WHERE id = :sessionId`).get({ sessionId });
    if (row === undefined) return null;
    const session = toSession(row as SessionRow);
    return { session, user: readUser(session.userId), now };
  }

  function create(session: NewSession, now: number, audit?: AuditOf<CreatedSession>): CreateSessionOutcome {
    const { id, userId, userEpoch, currentHash, userAgent, ip } = session;
    const user = readUser(userId);
    if (user === null) return { outcome: "refused", reason: "user_gone" };
    if (!user.isActive) return { outcome: "refused", reason: "user_inactive" };
    if (user.epoch !== userEpoch) return { outcome: "refused", reason: "user_epoch_changed" };

    const isKnownDevice = connection.prepare(knowsDevice).get({ userId, userAgent })?.["isKnown"] === 1;
    const replaced =
      session.replaces === undefined
        ? nothingRevoked
        : revocations.revokeOne(session.replaces.sessionId, { reason: "replaced", now }, session.replaces.userId);
    if (session.updateLastLogin) {
      connection.prepare("UPDATE users SET last_login_at = :now WHERE id = :userId").run({ userId, now });
    }
    const absoluteExpiresAt = now + session.absoluteLifetime;
    const idleExpiresAt = Math.min(now + session.idleLifetime, absoluteExpiresAt);
    const persistent = session.persistent ? 1 : 0;
    const row = connection
      .prepare(insert)
      .get({ id, userId, userEpoch, currentHash, persistent, userAgent, ip, now, idleExpiresAt, absoluteExpiresAt });
    return recordChange(connection, audit, {
      outcome: "created",
      session: toSession(row as SessionRow),
      now,
      revocations: replaced.revocations,
      isNewDevice: !isKnownDevice,
    });
  }

  return {
    async create(session, audit) {
      return connection.write("sessions.create", (now) => create(session, now, audit));
    },

    async rotate(rotation) {
      const { isAudited = false, ...parameters } = rotation;
      return connection.write("sessions.rotate", (now) => {
        const row = connection.prepare(rotate).get({ ...parameters, now });
        if (row === undefined) return null;
        const session = toSession(row as SessionRow);
        if (isAudited) recordRotation(connection, rotation, session);
        return { session, now };
      });
    },

    async decide(sessionId, decide, audit) {
      return connection.write("sessions.decide", (now) => {
        const { result, revoke: reason } = decide(readSnapshot(sessionId, now));
        const revoked = reason === undefined ? nothingRevoked : revocations.revokeOne(sessionId, { reason, now });
        return recordChange(connection, audit, { result, ...revoked });
      });
    },

    async touch({ issuesRefreshToken = false, ...use }) {
      return connection.write("sessions.touch", (now) => {
        const row = connection.prepare(touch).get({ ...use, issuesRefreshToken: issuesRefreshToken ? 1 : 0, now });
        return row === undefined ? null : { session: toSession(row as SessionRow), now };
      });
    },

    async find(sessionId) {
      return connection.read("sessions.find", (now) => readSnapshot(sessionId, now));
    },

    async list({ userId, limit }) {
      return connection.read("sessions.list", (now) => {
        const rows =
          userId === undefined
            ? connection.prepare(listAll).all({ limit, now })
            : connection.prepare(listForUser).all({ userId, limit, now });
        return { sessions: (rows as SessionRow[]).map(toSession), now };
      });
    },

    async label(sessionId, userId, text) {
      return connection.write("sessions.label", (now) => {
        const row = connection.prepare(label).get({ sessionId, userId, label: text, now });
        return row === undefined ? null : toSession(row as SessionRow);
      });
    },

    async revoke(sessionId, reason, { userId, audit } = {}) {
      return connection.write("sessions.revoke", (now) =>
        recordChange(connection, audit, revocations.revokeOne(sessionId, { reason, now }, userId)),
      );
    },

    async revokeForUser(userId, reason, { except, audit } = {}) {
      return connection.write("sessions.revokeForUser", (now) => {
        if (except !== undefined)
          return recordChange(connection, audit, revocations.revokeOthers(userId, except, { reason, now }));
        return recordChange(
          connection,
          audit,
          revocations.raiseEpoch(userId, { reason, now })?.revoked ?? nothingRevoked,
        );
      });
    },

    async revokeAll(reason, audit) {
      return connection.write("sessions.revokeAll", (now) =>
        recordChange(connection, audit, revocations.revokeAll({ reason, now })),
      );
    },
  };
}
