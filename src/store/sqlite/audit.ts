import type { Session } from "../../core/session.ts";
import type { AuditOf, AuditRow, AuditStore, ErasedUser } from "../../core/store/audit.ts";
import type { Rotation } from "../../core/store/sessions.ts";
import { type AuditEntryRow, auditColumns, toAuditConditions, toAuditEntry, toErasure } from "../audit-query.ts";
import type { SqliteConnection } from "./connection/connection.ts";

const insert = `INSERT INTO audit_log
  (at, type, user_id, session_id, ip, user_agent, actor, note, reason, details)
  VALUES (:time, :type, :userId, :sessionId, :ip, :userAgent, :actor, :note, :reason, :details)`;

const insertDelivery = "INSERT INTO webhook_outbox (id, at, body, next_at) VALUES (:id, :at, :body, :at)";

const newest = (conditions: string) => `SELECT * FROM (
  SELECT ${auditColumns} FROM audit_log WHERE seq <= :last ${conditions} ORDER BY seq DESC LIMIT :limit) ORDER BY id`;

const following = (conditions: string) =>
  `SELECT ${auditColumns} FROM audit_log WHERE seq > :after ${conditions} ORDER BY seq LIMIT :limit`;

const { entries: eraseEntries, sessions: eraseSessions } = toErasure("");

const eraseDeliveries = `UPDATE webhook_outbox SET body = json_remove(body, '$.data.ip', '$.data.user_agent')
  WHERE body ->> '$.data.user_id' = :userId AND body ->> '$.data.actor' IS NULL`;

/** Creates the store of the table `audit_log`. A cursor is the `seq` of the last entry that was read. */
export function createAuditStore(connection: SqliteConnection): AuditStore {
  return {
    async append(rows) {
      return connection.write("audit.append", () => {
        for (const row of rows) insertRow(connection, row);
      });
    },

    async read(query) {
      const { sql, parameters } = toAuditConditions(query);
      return connection.read("audit.read", () => {
        const last = readLastSeq(connection);
        const { after, limit } = query;
        if (after === null) {
          const rows = connection.prepare(newest(sql)).all({ ...parameters, last, limit });
          return { entries: toEntries(rows), cursor: String(last), more: false };
        }
        const position = { after: Number(after), limit: limit + 1 };
        const entries = toEntries(connection.prepare(following(sql)).all({ ...parameters, ...position }));
        const more = entries.length > limit;
        const page = entries.slice(0, limit);
        return { entries: page, cursor: String(more ? page.at(-1)?.id : last), more };
      });
    },

    async erase(userId, audit) {
      return connection.write("audit.erase", (now): ErasedUser | null => {
        if (connection.prepare("SELECT 1 FROM users WHERE id = :userId").get({ userId }) !== undefined) return null;
        const count = (sql: string) => Number(connection.prepare(sql).run({ userId }).changes);
        const erased = { entries: count(eraseEntries), sessions: count(eraseSessions), now };
        count(eraseDeliveries);
        return recordChange(connection, audit, erased);
      });
    },
  };
}

/**
 * Writes the records that `audit` returns for a change, in the same transaction as the change. If `change` is `null`,
 * nothing has changed and nothing is written. Returns `change`.
 */
export function recordChange<T>(
  connection: SqliteConnection,
  audit: AuditOf<NonNullable<T>> | undefined,
  change: T,
): T {
  if (audit === undefined || change === null || change === undefined) return change;
  for (const { row, delivery } of audit(change)) {
    if (row !== null) insertRow(connection, row);
    if (delivery !== null) connection.prepare(insertDelivery).run({ ...delivery });
  }
  return change;
}

/** Writes the audit entry of a rotation, in the same transaction as the rotation. */
export function recordRotation(connection: SqliteConnection, rotation: Rotation, session: Session): void {
  const { generation, ip, userAgent } = rotation;
  const { id: sessionId, userId, lastUsedAt: time, actor } = session;
  const details = JSON.stringify({ outcome: "rotated", generation });
  insertRow(connection, {
    time,
    type: "refresh",
    userId,
    sessionId,
    ip,
    userAgent,
    actor,
    note: null,
    reason: null,
    details,
  });
}

function insertRow(connection: SqliteConnection, row: AuditRow): void {
  connection.prepare(insert).run({ ...row });
}

function toEntries(rows: readonly unknown[]) {
  return (rows as readonly AuditEntryRow[]).map(toAuditEntry);
}

/** Returns the highest `seq` that was ever used. It doesn't become lower when old entries are deleted. */
function readLastSeq(connection: SqliteConnection): number {
  const row = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'audit_log'").get();
  return Number(row?.["seq"] ?? 0);
}
