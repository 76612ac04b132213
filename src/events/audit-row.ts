import type { ClientInfo } from "../core/client-info.ts";
import type { AuditRow } from "../core/store/audit.ts";
import type { AuthEvent } from "./events.ts";

/** Converts an event to a row of the audit log. */
export function toAuditRow(event: AuthEvent): AuditRow {
  const all: Record<string, unknown> & { readonly client?: ClientInfo } = { ...event };
  const { time: _, type, userId, sessionId, reason, client = {}, ...details } = all;
  return {
    time: event.time,
    type: event.type,
    userId: toText(userId),
    sessionId: toText(sessionId),
    ip: toText(client.ip),
    userAgent: toText(client.userAgent),
    actor: toText(client.actor),
    note: toText(client.note),
    reason: toText(reason),
    details: JSON.stringify(details),
  };
}

/**
 * Replaces U+0000 and lone surrogates, which databases can't store as text, with U+FFFD. Returns `null` for anything but a
 * string.
 */
function toText(value: unknown): string | null {
  return typeof value === "string" ? value.replaceAll(/\0|\p{Surrogate}/gu, "\uFFFD") : null;
}
