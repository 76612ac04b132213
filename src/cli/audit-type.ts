import { InvalidArgumentError } from "commander";
import { closestMatch } from "leven";
import type { AuditQuery } from "../core/store/audit.ts";
import { auditedTypes } from "../events/catalogue.ts";

/** The filter of the audit log that selects a type. */
export type AuditType = Pick<AuditQuery, "type" | "outcome">;

/** The webhook's name for a refresh event with this outcome. It is a type of the command line, too. */
const reuse = "reuse_detected";

const known: readonly string[] = [...auditedTypes, reuse];

/**
 * Parses an event type of which the audit log can have entries, or "reuse_detected".
 *
 * @throws InvalidArgumentError with the closest name and the list of all types.
 */
export function parseAuditType(text: string): AuditType {
  if (text === reuse) return { type: "refresh", outcome: reuse };
  if (known.includes(text)) return { type: text };
  const closest = closestMatch(text, known, { maxDistance: Math.ceil(text.length / 3) });
  const hint = closest === undefined ? "" : ` Did you mean ${closest}?`;
  throw new InvalidArgumentError(`Unknown type.${hint} The types are ${known.join(", ")}.`);
}
