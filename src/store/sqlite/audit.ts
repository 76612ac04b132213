import type { Session } from "../../core/session.ts";
import type { AuditOf, AuditRow, AuditStore } from "../../core/store/audit.ts";
import type { Rotation } from "../../core/store/sessions.ts";
import { type AuditEntryRow, auditColumns, toAuditConditions, toAuditEntry } from "../audit-query.ts";
import type { Connection } from "./connection/connection.ts";

const insert = `INSERT INTO audit_log
  (at, type, user_id, session_id, ip, user_agent, actor, reason, details)
  VALUES (:time, :type, :userId, :sessionId, :ip, :userAgent, :actor, :reason, :details)`;

const insertDelivery = "INSERT INTO webhook_outbox (id, at, body, next_at) VALUES (:id, :at, :body, :at)";

const newest = (conditions: string) => `SELECT * FROM (
  SELECT ${auditColumns} FROM audit_log WHERE seq <= :last ${conditions} ORDER BY seq DESC LIMIT :limit) ORDER BY id`;

const following = (conditions: string) =>
  `SELECT ${auditColumns} FROM audit_log WHERE seq > :after ${conditions} ORDER BY seq LIMIT :limit`;

/** The audit log, and the way to write it. */
export interface AuditLog extends AuditStore {
  /** Inside a write: writes what `audit` makes of `result`, unless that is `null`. Returns `result`. */
  readonly record: <T>(audit: AuditOf<NonNullable<T>> | undefined, result: T) => T;
  /** Inside a write: writes the entry of a rotation that was just made, to `session`. */
  readonly recordRotation: (rotation: Rotation, session: Session) => void;
}

/** The audit log in the table `audit_log`. Its cursor is the `seq` of the last entry seen. */
export function createAuditLog(connection: Connection): AuditLog {
  const append = (row: AuditRow) => connection.prepare(insert).run({ ...row });

  return {
    record(audit, result) {
      if (audit === undefined || result === null || result === undefined) return result;
      for (const { row, delivery } of audit(result)) {
        if (row !== null) append(row);
        if (delivery !== null) connection.prepare(insertDelivery).run({ ...delivery });
      }
      return result;
    },

    recordRotation({ generation, ip, userAgent }, { id: sessionId, userId, lastUsedAt: time }) {
      const details = JSON.stringify({ outcome: "rotated", generation });
      append({ time, type: "refresh", userId, sessionId, ip, userAgent, actor: null, reason: null, details });
    },

    async append(rows) {
      return connection.write("audit.append", () => {
        for (const row of rows) append(row);
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
  };
}

function toEntries(rows: readonly unknown[]) {
  return (rows as readonly AuditEntryRow[]).map(toAuditEntry);
}

/** The highest `seq` ever given, which the deletion of old entries does not lower. */
function readLastSeq(connection: Connection): number {
  const row = connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'audit_log'").get();
  return Number(row?.["seq"] ?? 0);
}
