import type { AuditEntry } from "../core/store/audit.ts";

/*
 * Names that tokenpair 0.1 wrote and that have changed since. Its rows stay as they are, because nodes of both versions
 * may share a database during an upgrade. The stores write the new names and convert the former ones when they read.
 */

/** By the type of today: the type that 0.1 wrote to the audit log. */
const formerTypes = new Map([["sessions_revoked", "sessions_ended"]]);

/** By the outcome of today: the outcome that 0.1 wrote with a `refresh` event. */
const formerOutcomes = new Map([
  ["reuse_detected", "theft"], // language-allow "theft": the name in 0.1
  ["not_rotated", "renewed"], // language-allow "renewed": the name in 0.1
]);

/** The first member of a webhook message as 0.1 wrote it. The member is always the first. */
const formerMessageType = '{"type":"theft",'; // language-allow "theft": the name in 0.1

/** Returns the type that 0.1 wrote for this type of event: the same one if it has not changed. */
export function toFormerType(type: string): string {
  return formerTypes.get(type) ?? type;
}

/** Returns the outcome that 0.1 wrote for this outcome of a refresh: the same one if it has not changed. */
export function toFormerOutcome(outcome: string): string {
  return formerOutcomes.get(outcome) ?? outcome;
}

/** Returns an entry of the audit log under the names of today. */
export function withCurrentNames(entry: AuditEntry): AuditEntry {
  const { outcome } = entry.details;
  if (entry.type === "refresh" && typeof outcome === "string") {
    return { ...entry, details: { ...entry.details, outcome: toCurrent(formerOutcomes, outcome) } };
  }
  return { ...entry, type: toCurrent(formerTypes, entry.type) };
}

/** Returns the body of a webhook message with the message type of today. */
export function withCurrentMessageType(body: string): string {
  if (!body.startsWith(formerMessageType)) return body;
  return `{"type":"reuse_detected",${body.slice(formerMessageType.length)}`;
}

function toCurrent(formerNames: ReadonlyMap<string, string>, name: string): string {
  for (const [current, former] of formerNames) if (former === name) return current;
  return name;
}
