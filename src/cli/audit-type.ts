import { InvalidArgumentError } from "commander";
import { closestMatch } from "leven";
import type { AuditQuery } from "../core/store/audit.ts";
import { auditedTypes } from "../events/catalogue.ts";

/** What to look for in the audit log under the name of a type. */
export type AuditType = Pick<AuditQuery, "type" | "outcome">;

/** The webhook's name for a refresh with this outcome. */
const reuse = "reuse_detected";

const known: readonly string[] = [...auditedTypes, reuse];

/**
 * A type of which the audit log can have entries, or "reuse_detected".
 *
 * @throws InvalidArgumentError with the nearest name and all of them.
 */
export function parseAuditType(text: string): AuditType {
  if (text === reuse) return { type: "refresh", outcome: reuse };
  if (known.includes(text)) return { type: text };
  const nearest = closestMatch(text, known, { maxDistance: Math.ceil(text.length / 3) });
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  throw new InvalidArgumentError(`No such type.${hint} There are ${known.join(", ")}.`);
}
