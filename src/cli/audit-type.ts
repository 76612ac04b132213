import { InvalidArgumentError } from "commander";
import { closestMatch } from "leven";
import { auditTypes } from "../core/audit.ts";
import type { AuditQuery } from "../core/audit-store.ts";

/** What to look for in the audit log under the name of a type. */
export type AuditType = Pick<AuditQuery, "type" | "outcome">;

/** The webhook's name for a refresh that ended so. */
const theft = "theft";

const known: readonly string[] = [...auditTypes, theft];

/**
 * A type of which the audit log can have entries, or "theft".
 *
 * @throws InvalidArgumentError with the nearest name and all of them.
 */
export function parseAuditType(text: string): AuditType {
  if (text === theft) return { type: "refresh", outcome: theft };
  if (known.includes(text)) return { type: text };
  const nearest = closestMatch(text, known, { maxDistance: Math.ceil(text.length / 3) });
  const hint = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  throw new InvalidArgumentError(`No such type.${hint} There are ${known.join(", ")}.`);
}
