import type { AuditEntry } from "../core/store/audit.ts";
import { toTime, withoutControls } from "../core/text.ts";
import { auditedTypes } from "../events/catalogue/catalogue.ts";

/** Converts an audit entry to JSON, with the names of the HTTP API and times in whole seconds since the epoch. */
export function toAuditJson(entry: AuditEntry): Readonly<Record<string, unknown>> {
  return {
    id: entry.id,
    time: entry.time,
    type: entry.type,
    user_id: entry.userId,
    session_id: entry.sessionId,
    ip: entry.ip,
    user_agent: entry.userAgent,
    actor: entry.actor,
    note: entry.note,
    reason: entry.reason,
    details: entry.details,
  };
}

const typeWidth = Math.max(...auditedTypes.map((type) => type.length));

/**
 * Converts an audit entry to one line: the time, the type, and the known fields as `name=value`. A value with spaces or
 * quotes is quoted, and control characters are replaced.
 *
 * @param username the user's name, if it is known.
 */
export function toAuditLine(entry: AuditEntry, username: string | undefined): string {
  const { userId: user, sessionId: session, ip, actor: by, note, reason, userAgent: agent, details } = entry;
  const fields = { user, name: username, session, ...details, reason, by, note, ip, agent };
  const known = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  const words = known.map(([name, value]) => `${withoutControls(name)}=${toWord(value)}`);
  return [toTime(entry.time), withoutControls(entry.type).padEnd(typeWidth), ...words].join("  ").trimEnd();
}

function toWord(value: unknown): string {
  const text = withoutControls(typeof value === "string" ? value : JSON.stringify(value));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
