import { type CreatedSession, nothingRevoked } from "../../core/store/sessions.ts";
import { mostCounted } from "../revocation-row.ts";
import { findUserRefusal, type SessionToInsert, type UserRefusal } from "../session-to-insert.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { readGlobalEpoch } from "./installation.ts";
import type { Revocations } from "./revocations.ts";
import { isLive, readSessionUser, type SessionRow, sessionColumns, toSession } from "./rows.ts";

/** The maximum number of sessions beyond the limit that one login revokes. */
const mostLimited = 10;

// With a previous hash, it is the first generation that has a time at which it was made.
const insert = `INSERT INTO sessions
  (id, user_id, user_epoch, generation, current_hash, previous_hash, salt, attempt_hash, rotated_at, created_at, last_used_at,
   idle_expires_at, absolute_expires_at, persistent, user_agent, ip, cleanup_at, access_until, global_epoch,
   authenticated_at, amr, actor)
  VALUES (:id, :userId, :userEpoch, 0, :currentHash, :previousHash, :salt, :idempotencyHash,
   iif(:previousHash IS NULL, NULL, :now), :now, :now,
   :idleExpiresAt, :absoluteExpiresAt, :persistent, :userAgent, :ip, :idleExpiresAt,
   min(:now + :accessLifetime, :absoluteExpiresAt), (SELECT global_epoch FROM installation),
   min(coalesce(:authenticatedAt, :now), :now), :amr, :actor)
  RETURNING ${sessionColumns}`;

/** A condition on `sessions`: the session is one of the user's own, and says on which device the user has logged in. */
const isOwnSession = "user_id = :userId AND revoked_at IS NULL AND actor IS NULL";

/** The same on `audit_log`. */
const isOwnLogin = "type = 'login' AND user_id = :userId AND actor IS NULL";

// A login without a user agent can't be from a new device, and neither can the user's first login.
const knowsDevice = `SELECT :userAgent IS NULL
  OR NOT (EXISTS (SELECT 1 FROM users WHERE id = :userId AND last_login_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM sessions WHERE ${isOwnSession})
    OR EXISTS (SELECT 1 FROM audit_log WHERE ${isOwnLogin}))
  OR EXISTS (SELECT 1 FROM sessions WHERE ${isOwnSession} AND user_agent = :userAgent)
  OR EXISTS (SELECT 1 FROM audit_log WHERE ${isOwnLogin} AND user_agent = :userAgent)
  AS isKnown`;

/** A condition on `sessions`: the session counts for the limit. An actor's doesn't, because it isn't a login of the user. */
const isCounted = `user_id = :userId AND user_epoch = :userEpoch AND actor IS NULL AND ${isLive}`;

const countLive = `SELECT count(*) AS number FROM (SELECT 1 FROM sessions WHERE ${isCounted} LIMIT ${mostCounted + 1})`;

const selectOldest = `SELECT id FROM (SELECT id, last_used_at FROM sessions WHERE ${isCounted} LIMIT ${mostCounted + 1})
  ORDER BY last_used_at, id LIMIT :limit`;

/** Inserts sessions, inside the caller's write. */
export interface SessionInserter {
  /** Returns the reason why the session can't be inserted, or `null` if it can be inserted. */
  readonly findRefusal: (session: SessionToInsert) => UserRefusal | null;
  /**
   * Inserts a session. Revokes the session that it replaces, and sessions beyond the limit. Call it only if the session may
   * be inserted.
   */
  readonly insert: (session: SessionToInsert, now: number) => CreatedSession;
}

/** Creates the inserter of a connection. */
export function createSessionInserter(connection: SqliteConnection, revocations: Revocations): SessionInserter {
  function insertRow({ persistent, idleLifetime, absoluteLifetime, ...session }: SessionToInsert, now: number): object {
    const { id, userId, userEpoch, currentHash, userAgent, ip, accessLifetime } = session;
    const { previousHash = null, salt = null, idempotencyHash = null } = session;
    const { authenticatedAt = null, amr = null, actor = null } = session;
    const absoluteExpiresAt = now + absoluteLifetime;
    const idleExpiresAt = Math.min(now + idleLifetime, absoluteExpiresAt);
    const owner = { id, userId, userEpoch, persistent: persistent ? 1 : 0, userAgent, ip, amr, actor };
    const hashes = { currentHash, previousHash, salt, idempotencyHash };
    const times = { now, authenticatedAt, idleExpiresAt, absoluteExpiresAt, accessLifetime };
    return connection.prepare(insert).get({ ...owner, ...hashes, ...times }) as object;
  }

  /** Revokes the least recently used sessions of a user who has too many sessions. */
  function revokeBeyondLimit({ userId, userEpoch, maxSessions }: SessionToInsert, now: number) {
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
    findRefusal: (session) => findUserRefusal(readSessionUser(connection, session.userId), session),

    insert(session, now) {
      const { userId, userAgent, replaces, updateLastLogin = false, actor = null } = session;
      const isKnownDevice = connection.prepare(knowsDevice).get({ userId, userAgent })?.["isKnown"] === 1;
      const replaced =
        replaces === undefined
          ? nothingRevoked
          : revocations.revokeOne(replaces.sessionId, { reason: "replaced", now }, replaces.userId);
      const limited = revokeBeyondLimit(session, now);
      if (updateLastLogin) {
        connection.prepare("UPDATE users SET last_login_at = :now WHERE id = :userId").run({ userId, now });
      }
      return {
        outcome: "created",
        session: toSession(insertRow(session, now) as SessionRow),
        now,
        globalEpoch: readGlobalEpoch(connection),
        revocations: [...replaced.revocations, ...limited.flatMap(({ revocations: entries }) => entries)],
        limited: limited.map(({ sessionId }) => sessionId),
        isNewDevice: !isKnownDevice && actor === null,
      };
    },
  };
}
