import type { AuditEntry, AuditQuery, AuditRow } from "../core/store/audit.ts";
import { toFormerOutcome, toFormerType, withCurrentNames } from "./former-names.ts";

/** All columns of `audit_log`, with the names of an `AuditEntry`. `details` is JSON. */
export const auditColumns = `seq AS "id", at AS "time", type, user_id AS "userId", session_id AS "sessionId", ip,
  user_agent AS "userAgent", actor, note, reason, details`;

/** A row with `auditColumns`. */
export type AuditEntryRow = AuditRow & { readonly id: number };

// The address and the user agent are the actor's, if there is one.
const eraseEntries = (table: string) => `UPDATE ${table} SET note = NULL,
    ip = CASE WHEN actor IS NULL THEN NULL ELSE ip END,
    user_agent = CASE WHEN actor IS NULL THEN NULL ELSE user_agent END
  WHERE user_id = :userId AND (note IS NOT NULL OR (actor IS NULL AND (ip IS NOT NULL OR user_agent IS NOT NULL)))`;

const eraseSessions = (table: string) => `UPDATE ${table} SET ip = NULL, user_agent = NULL, label = NULL
  WHERE user_id = :userId AND (ip IS NOT NULL OR user_agent IS NOT NULL OR label IS NOT NULL)`;

/** Returns the statements that erase what is stored about the devices of a user. */
export function toErasure(schema: "" | "tokenpair."): { readonly entries: string; readonly sessions: string } {
  return { entries: eraseEntries(`${schema}audit_log`), sessions: eraseSessions(`${schema}sessions`) };
}

/** Converts a row to an entry with the current names. */
export function toAuditEntry(row: AuditEntryRow): AuditEntry {
  return withCurrentNames({ ...row, details: JSON.parse(row.details) });
}

// JSON escapes the quotes of every text, so this pattern only matches the member itself.
const hasOutcome = (parameter: string) => `details LIKE '%"outcome":"' || CAST(${parameter} AS text) || '"%'`;

const conditions = {
  userId: "user_id = :userId",
  sessionId: "session_id = :sessionId",
  type: "type IN (:type, :formerType)",
  outcome: `(${hasOutcome(":outcome")} OR ${hasOutcome(":formerOutcome")})`,
  since: "at >= :since",
} as const;

/** Returns the SQL conditions of a query on `audit_log` with their parameters. Each condition begins with AND. */
export function toAuditConditions(query: AuditQuery): {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number>>;
} {
  const { type, outcome } = query;
  const given = Object.keys(conditions)
    .map((name) => name as keyof typeof conditions)
    .filter((name) => query[name] !== undefined);
  return {
    sql: given.map((name) => ` AND ${conditions[name]}`).join(""),
    parameters: {
      ...Object.fromEntries(given.map((name) => [name, query[name] as string | number])),
      ...(type === undefined ? {} : { formerType: toFormerType(type) }),
      ...(outcome === undefined ? {} : { formerOutcome: toFormerOutcome(outcome) }),
    },
  };
}
