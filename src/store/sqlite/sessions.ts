import { maxMethods } from "../../core/authentication.ts";
import type { RevokeReason } from "../../core/session.ts";
import {
  type CreateSessionOutcome,
  nothingRevoked,
  type SessionAt,
  type SessionSnapshot,
  type SessionStore,
} from "../../core/store/sessions.ts";
import { recordChange, recordRotation } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { requireAllowed } from "./guard.ts";
import { readGlobalEpoch } from "./installation.ts";
import type { SessionInserter } from "./new-session.ts";
import type { Revocations } from "./revocations.ts";
import {
  isLive,
  isLiveInEpoch,
  readSessionUser,
  type SessionRow,
  sessionColumns,
  snapshotColumns,
  toSession,
} from "./rows.ts";

/** A SQL condition on `sessions`: the user exists, is active, and has the same epoch as the session. */
const hasActiveUser = `EXISTS (SELECT 1 FROM users
  WHERE users.id = sessions.user_id AND users.is_active = 1 AND users.epoch = sessions.user_epoch)`;

/**
 * A SQL condition on `sessions`: the presented generation is the current one, the session is live and belongs to this user,
 * and the user is active.
 */
const isPresented = `id = :sessionId AND user_id = :userId AND user_epoch >= :userEpoch AND generation = :generation
  AND current_hash = :presentedHash AND ${isLive} AND ${hasActiveUser}`;

/** A SQL assignment for a change after which the caller issues an access token. */
const extendsAccess = "access_until = max(coalesce(access_until, 0), min(:now + :accessLifetime, absolute_expires_at))";

const rotate = `UPDATE sessions SET generation = generation + 1,
  previous_hash = current_hash, current_hash = :nextHash, salt = :salt, attempt_hash = :idempotencyHash,
  rotated_at = :now, last_used_at = :now, idle_expires_at = min(:now + :idleLifetime, absolute_expires_at),
  ${extendsAccess}, user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  WHERE ${isPresented} RETURNING ${sessionColumns}`;

const touch = `UPDATE sessions SET last_used_at = :now, ${extendsAccess},
  rotated_at = iif(:issuesRefreshToken, :now, rotated_at),
  user_agent = coalesce(:userAgent, user_agent), ip = coalesce(:ip, ip)
  WHERE ${isPresented} RETURNING ${sessionColumns}`;

// The methods in the order of their last use, and no more than a session can have.
const reauthenticate = `UPDATE sessions SET authenticated_at = :now, ${extendsAccess},
  amr = (SELECT group_concat(method, ' ' ORDER BY place) FROM (
    SELECT value AS method, max(key) AS place
    FROM json_each('["' || replace(coalesce(amr || ' ', '') || :amr, ' ', '","') || '"]')
    GROUP BY value ORDER BY place DESC LIMIT ${maxMethods}))
  WHERE id = :sessionId AND user_id = :userId AND user_epoch = coalesce(:userEpoch, user_epoch) AND actor IS NULL
    AND ${isLive} AND ${hasActiveUser} RETURNING ${sessionColumns}`;

const label = `UPDATE sessions SET label = :label
  WHERE id = :sessionId AND user_id = :userId AND ${isLiveInEpoch} RETURNING ${sessionColumns}`;

const noteAccess =
  "UPDATE sessions SET access_until = max(coalesce(access_until, 0), :accessUntil) WHERE id = :sessionId";

const findOne = `SELECT ${snapshotColumns} FROM sessions, installation WHERE id = :sessionId`;

type SnapshotRow = SessionRow & { readonly endedAt: number | null; readonly endReason: RevokeReason | null };

const listAll = `SELECT ${sessionColumns} FROM sessions WHERE ${isLiveInEpoch} ORDER BY created_at DESC, id DESC LIMIT :limit`;

const listForUser = `SELECT ${sessionColumns} FROM sessions WHERE user_id = :userId AND ${isLiveInEpoch}
  ORDER BY created_at DESC, id DESC LIMIT :limit`;

/** Creates the store of the table `sessions`. */
export function createSessionStore(
  connection: SqliteConnection,
  revocations: Revocations,
  inserter: SessionInserter,
): SessionStore {
  /** Returns a session with the time and the global epoch that the caller needs for issuing tokens. */
  function toSessionAt(row: object, now: number): SessionAt {
    return { session: toSession(row as SessionRow), now, globalEpoch: readGlobalEpoch(connection) };
  }

  function readSnapshot(sessionId: string, now: number): SessionSnapshot | null {
    const row = connection.get<SnapshotRow>(findOne, { sessionId });
    if (row === undefined) return null;
    const { endedAt, endReason, ...session } = row;
    const ended = endedAt === null ? {} : { revokedAt: endedAt, revokeReason: endReason };
    const at = toSessionAt({ ...session, ...ended }, now);
    return { ...at, user: readSessionUser(connection, at.session.userId) };
  }

  return {
    async create(session, audit) {
      return connection.write("sessions.create", (now): CreateSessionOutcome => {
        const reason = inserter.findRefusal(session);
        if (reason !== null) return { outcome: "refused", reason };
        return recordChange(connection, audit, inserter.insert(session, now));
      });
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

    async reauthenticate(change, audit) {
      return connection.write("sessions.reauthenticate", (now) => {
        const row = connection.prepare(reauthenticate).get({ ...change, now });
        return recordChange(connection, audit, row === undefined ? null : toSessionAt(row, now));
      });
    },

    async find(sessionId) {
      return connection.read("sessions.find", (now) => readSnapshot(sessionId, now));
    },

    async list({ userId, limit }) {
      return connection.read("sessions.list", (now) => {
        const rows =
          userId === undefined
            ? connection.all<SessionRow>(listAll, { limit, now })
            : connection.all<SessionRow>(listForUser, { userId, limit, now });
        return { sessions: rows.map(toSession), now };
      });
    },

    async label(sessionId, userId, text) {
      return connection.write("sessions.label", (now) => {
        const row = connection.get<SessionRow>(label, { sessionId, userId, label: text, now });
        return row === undefined ? null : toSession(row);
      });
    },

    async revoke(sessionId, reason, { audit, confirm, userId, guard } = {}) {
      return connection.write("sessions.revoke", (now) => {
        requireAllowed(connection, guard);
        return recordChange(connection, audit, revocations.revokeOne(sessionId, { reason, now, confirm }, userId));
      });
    },

    async revokeEach(sessionIds, reason, { audit, confirm, guard } = {}) {
      return connection.write("sessions.revokeEach", (now) => {
        requireAllowed(connection, guard);
        const each = sessionIds.map((id) => revocations.revokeOne(id, { reason, now, confirm }));
        const position = each.findLast((one) => one.position !== undefined)?.position;
        const revoked = {
          sessions: each.filter(({ sessions }) => sessions > 0).length,
          revocations: each.flatMap(({ revocations: entries }) => entries),
          ...(position === undefined ? {} : { position }),
        };
        return recordChange(connection, audit, revoked);
      });
    },

    async revokeForUser(userId, reason, { audit, confirm, guard, by } = {}) {
      return connection.write("sessions.revokeForUser", (now) => {
        requireAllowed(connection, guard);
        const isAllowed = by === undefined || revocations.isOwnerLive({ sessionId: by, userId }, now);
        const raised = isAllowed ? revocations.raiseEpoch(userId, { reason, now, confirm }) : null;
        return recordChange(connection, audit, raised?.revoked ?? nothingRevoked);
      });
    },

    async revokeOthers(owner, reason, { audit, confirm } = {}) {
      return connection.write("sessions.revokeOthers", (now) =>
        recordChange(connection, audit, revocations.revokeOthers(owner, { reason, now, confirm })),
      );
    },

    async revokeAll(reason, { audit, confirm, guard } = {}) {
      return connection.write("sessions.revokeAll", (now) => {
        requireAllowed(connection, guard);
        return recordChange(connection, audit, revocations.revokeAll({ reason, now, confirm }));
      });
    },
  };
}
