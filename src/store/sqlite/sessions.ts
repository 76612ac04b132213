import type { RevokeReason } from "../../core/session.ts";
import type { AuditOf } from "../../core/store/audit.ts";
import type {
  CreatedSession,
  CreateSessionOutcome,
  NewSession,
  SessionAt,
  SessionSnapshot,
  SessionStore,
  SessionUser,
} from "../../core/store/sessions.ts";
import { nothingRevoked } from "../../core/store/sessions.ts";
import { mostCounted } from "../revocation-row.ts";
import { recordChange, recordRotation } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { readGlobalEpoch } from "./installation.ts";
import type { Revocations } from "./revocations.ts";
import { isLive, isLiveInEpoch, type SessionRow, sessionColumns, snapshotColumns, toSession } from "./rows.ts";

/** How many sessions beyond the limit one login revokes. */
const mostLimited = 10;

/** A condition on `sessions`: the user exists, is active and still has the session's epoch. */
const hasActiveUser = `EXISTS (SELECT 1 FROM users
  WHERE users.id = sessions.user_id AND users.is_active = 1 AND users.epoch = sessions.user_epoch)`;

/** A condition on `sessions`: the presented generation is the current one of a live session of this user, who is active. */
const isPresented = `id = :sessionId AND user_id = :userId AND user_epoch >= :userEpoch AND generation = :generation
  AND current_hash = :presentedHash AND ${isLive} AND ${hasActiveUser}`;

/** An assignment: the caller will issue an access token. */
const extendsAccess = "access_until = max(coalesce(access_until, 0), min(:now + :accessLifetime, absolute_expires_at))";

const insert = `INSERT INTO sessions
  (id, user_id, user_epoch, generation, current_hash, created_at, last_used_at, idle_expires_at, absolute_expires_at,
   persistent, user_agent, ip, cleanup_at, access_until, global_epoch)
  VALUES (:id, :userId, :userEpoch, 0, :currentHash, :now, :now, :idleExpiresAt, :absoluteExpiresAt,
   :persistent, :userAgent, :ip, :idleExpiresAt, min(:now + :accessLifetime, :absoluteExpiresAt),
   (SELECT global_epoch FROM installation))
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
  ${extendsAccess}, user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  WHERE ${isPresented} RETURNING ${sessionColumns}`;

const touch = `UPDATE sessions SET last_used_at = :now, ${extendsAccess},
  rotated_at = iif(:issuesRefreshToken, :now, rotated_at),
  user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  WHERE ${isPresented} RETURNING ${sessionColumns}`;

const label = `UPDATE sessions SET label = :label
  WHERE id = :sessionId AND user_id = :userId AND ${isLiveInEpoch} RETURNING ${sessionColumns}`;

const noteAccess =
  "UPDATE sessions SET access_until = max(coalesce(access_until, 0), :accessUntil) WHERE id = :sessionId";

const countLive = `SELECT count(*) AS number FROM (SELECT 1 FROM sessions
  WHERE user_id = :userId AND user_epoch = :userEpoch AND ${isLive} LIMIT ${mostCounted + 1})`;

const selectOldest = `SELECT id FROM (SELECT id, last_used_at FROM sessions
    WHERE user_id = :userId AND user_epoch = :userEpoch AND ${isLive} LIMIT ${mostCounted + 1})
  ORDER BY last_used_at, id LIMIT :limit`;

const findOne = `SELECT ${snapshotColumns} FROM sessions, installation WHERE id = :sessionId`;

type SnapshotRow = SessionRow & { readonly endedAt: number | null; readonly endReason: RevokeReason | null };

const listAll = `SELECT ${sessionColumns} FROM sessions WHERE ${isLiveInEpoch} ORDER BY created_at DESC, id DESC LIMIT :limit`;

const listForUser = `SELECT ${sessionColumns} FROM sessions WHERE user_id = :userId AND ${isLiveInEpoch}
  ORDER BY created_at DESC, id DESC LIMIT :limit`;

/** Creates the store of the table `sessions`. */
export function createSessionStore(connection: SqliteConnection, revocations: Revocations): SessionStore {
  function readUser(id: string): SessionUser | null {
    const row = connection.prepare("SELECT is_active, epoch, epoch_reason FROM users WHERE id = :id").get({ id });
    if (row === undefined) return null;
    const epochReason = row["epoch_reason"] as RevokeReason | null;
    return { isActive: row["is_active"] === 1, epoch: Number(row["epoch"]), epochReason };
  }

  /** Returns a session with the time and the global epoch, for which the caller issues tokens. */
  function toSessionAt(row: object, now: number): SessionAt {
    return { session: toSession(row as SessionRow), now, globalEpoch: readGlobalEpoch(connection) };
  }

  function readSnapshot(sessionId: string, now: number): SessionSnapshot | null {
    const row = connection.prepare(findOne).get({ sessionId }) as SnapshotRow | undefined;
    if (row === undefined) return null;
    const { endedAt, endReason, ...session } = row;
    const ended = endedAt === null ? {} : { revokedAt: endedAt, revokeReason: endReason };
    const at = toSessionAt({ ...session, ...ended }, now);
    return { ...at, user: readUser(at.session.userId) };
  }

  function create(session: NewSession, now: number, audit?: AuditOf<CreatedSession>): CreateSessionOutcome {
    const { id, userId, userEpoch, currentHash, userAgent, ip, accessLifetime } = session;
    const user = readUser(userId);
    if (user === null) return { outcome: "refused", reason: "user_gone" };
    if (!user.isActive) return { outcome: "refused", reason: "user_inactive" };
    if (user.epoch !== userEpoch) return { outcome: "refused", reason: "user_epoch_changed" };

    const isKnownDevice = connection.prepare(knowsDevice).get({ userId, userAgent })?.["isKnown"] === 1;
    const replaced =
      session.replaces === undefined
        ? nothingRevoked
        : revocations.revokeOne(session.replaces.sessionId, { reason: "replaced", now }, session.replaces.userId);
    const limited = revokeBeyondLimit(session, now);
    if (session.updateLastLogin) {
      connection.prepare("UPDATE users SET last_login_at = :now WHERE id = :userId").run({ userId, now });
    }
    const absoluteExpiresAt = now + session.absoluteLifetime;
    const idleExpiresAt = Math.min(now + session.idleLifetime, absoluteExpiresAt);
    const persistent = session.persistent ? 1 : 0;
    const row = connection.prepare(insert).get({
      id,
      userId,
      userEpoch,
      currentHash,
      persistent,
      userAgent,
      ip,
      now,
      idleExpiresAt,
      absoluteExpiresAt,
      accessLifetime,
    });
    return recordChange(connection, audit, {
      outcome: "created",
      ...toSessionAt(row as object, now),
      revocations: [...replaced.revocations, ...limited.flatMap(({ revocations: entries }) => entries)],
      limited: limited.map(({ sessionId }) => sessionId),
      isNewDevice: !isKnownDevice,
    });
  }

  /** Revokes the least recently used sessions of a user who has too many. */
  function revokeBeyondLimit({ userId, userEpoch, maxSessions }: NewSession, now: number) {
    if (maxSessions === null) return [];
    const user = { userId, userEpoch, now };
    const excess = Number(connection.prepare(countLive).get(user)?.["number"]) + 1 - maxSessions;
    if (excess <= 0) return [];
    const rows = connection.prepare(selectOldest).all({ ...user, limit: Math.min(excess, mostLimited) });
    return rows.map((row) => {
      const sessionId = String(row["id"]);
      return { sessionId, ...revocations.revokeOne(sessionId, { reason: "limit", now }) };
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
        const rotated = toSessionAt(row, now);
        if (isAudited) recordRotation(connection, rotation, rotated.session);
        return rotated;
      });
    },

    async decide(sessionId, decide, { audit, confirm } = {}) {
      return connection.write("sessions.decide", (now) => {
        const { result, revoke: reason, accessUntil } = decide(readSnapshot(sessionId, now));
        if (accessUntil !== undefined) connection.prepare(noteAccess).run({ sessionId, accessUntil });
        const revoked =
          reason === undefined ? nothingRevoked : revocations.revokeOne(sessionId, { reason, now, confirm });
        return recordChange(connection, audit, { result, ...revoked });
      });
    },

    async touch({ issuesRefreshToken = false, ...use }) {
      return connection.write("sessions.touch", (now) => {
        const row = connection.prepare(touch).get({ ...use, issuesRefreshToken: issuesRefreshToken ? 1 : 0, now });
        return row === undefined ? null : toSessionAt(row, now);
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

    async revoke(sessionId, reason, { audit, confirm, userId } = {}) {
      return connection.write("sessions.revoke", (now) =>
        recordChange(connection, audit, revocations.revokeOne(sessionId, { reason, now, confirm }, userId)),
      );
    },

    async revokeForUser(userId, reason, { audit, confirm } = {}) {
      return connection.write("sessions.revokeForUser", (now) => {
        const raised = revocations.raiseEpoch(userId, { reason, now, confirm });
        return recordChange(connection, audit, raised?.revoked ?? nothingRevoked);
      });
    },

    async revokeOthers(owner, reason, { audit, confirm } = {}) {
      return connection.write("sessions.revokeOthers", (now) =>
        recordChange(connection, audit, revocations.revokeOthers(owner, { reason, now, confirm })),
      );
    },

    async revokeAll(reason, { audit, confirm } = {}) {
      return connection.write("sessions.revokeAll", (now) =>
        recordChange(connection, audit, revocations.revokeAll({ reason, now, confirm })),
      );
    },
  };
}
