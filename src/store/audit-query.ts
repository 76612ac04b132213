import type { AuditEntry, AuditQuery, AuditRow } from "../core/store/audit.ts";

/** Every column of `audit_log`, under the names of an `AuditEntry`; `details` is JSON. */
export const auditColumns = `seq AS "id", at AS "time", type, user_id AS "userId", session_id AS "sessionId", ip,
  user_agent AS "userAgent", actor, reason, details`;

/** A row of `auditColumns`. */
export type AuditEntryRow = AuditRow & { readonly id: number };

export function toAuditEntry(row: AuditEntryRow): AuditEntry {
  return { ...row, details: JSON.parse(row.details) };
}

const conditions = {
  userId: "user_id = :userId",
  sessionId: "session_id = :sessionId",
  type: "type = :type",
  // Within the JSON a quote of anybody's text is escaped, so that this can only be the member.
  outcome: `details LIKE '%"outcome":"' || CAST(:outcome AS text) || '"%'`,
  since: "at >= :since",
} as const;

/** The conditions of a query on `audit_log`, each begun by AND, and their parameters. */
export function toAuditConditions(query: AuditQuery): {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number>>;
} {
  const given = Object.keys(conditions)
    .map((name) => name as keyof typeof conditions)
    .filter((name) => query[name] !== undefined);
  return {
    sql: given.map((name) => ` AND ${conditions[name]}`).join(""),
    parameters: Object.fromEntries(given.map((name) => [name, query[name] as string | number])),
  };
}
