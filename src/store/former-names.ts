import type { AuditEntry } from "../core/store/audit.ts";

/*
 * Names that tokenpair 0.1 wrote and that have changed since. Its rows stay as they are, because nodes of both versions
 * may share a database during an upgrade. The stores write the new names and convert the former ones when they read.
 */

/** For each current event type that has changed, the type that version 0.1 wrote to the audit log. */
const formerTypes = new Map([["sessions_revoked", "sessions_ended"]]);

/** For each current outcome that has changed, the outcome that version 0.1 wrote with a `refresh` event. */
const formerOutcomes = new Map([
  ["reuse_detected", "theft"], // language-allow "theft": the name in 0.1
  ["not_rotated", "renewed"], // language-allow "renewed": the name in 0.1
]);

/** The beginning of a webhook message that version 0.1 wrote. The type is always the first member. */
const formerMessageType = '{"type":"theft",'; // language-allow "theft": the name in 0.1

/** Returns the name that version 0.1 wrote for this type of event. Types that have not changed are returned unchanged. */
export function toFormerType(type: string): string {
  return formerTypes.get(type) ?? type;
}

/**
 * Returns the name that version 0.1 wrote for this outcome of a refresh. Outcomes that have not changed are returned
 * unchanged.
 */
export function toFormerOutcome(outcome: string): string {
  return formerOutcomes.get(outcome) ?? outcome;
}

/** Returns an entry of the audit log with the current names. */
export function withCurrentNames(entry: AuditEntry): AuditEntry {
  const { outcome } = entry.details;
  if (entry.type === "refresh" && typeof outcome === "string") {
    return { ...entry, details: { ...entry.details, outcome: toCurrent(formerOutcomes, outcome) } };
  }
  return { ...entry, type: toCurrent(formerTypes, entry.type) };
}

/** Returns the body of a webhook message with the current message type. */
export function withCurrentMessageType(body: string): string {
  if (!body.startsWith(formerMessageType)) return body;
  return `{"type":"reuse_detected",${body.slice(formerMessageType.length)}`;
}

function toCurrent(formerNames: ReadonlyMap<string, string>, name: string): string {
  for (const [current, former] of formerNames) if (former === name) return current;
  return name;
}
