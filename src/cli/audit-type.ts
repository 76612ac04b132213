import { InvalidArgumentError } from "commander";
import { closestMatch } from "leven";
import type { AuditQuery } from "../core/store/audit.ts";
import { auditedTypes } from "../events/catalogue/catalogue.ts";
import type { RefreshOutcome } from "../events/events.ts";

/** The filter of the audit log for one type. */
export type AuditType = Pick<AuditQuery, "type" | "outcome">;

/** The outcomes of refresh events that the command line accepts as types. */
const outcomes: readonly string[] = ["reuse_detected", "rotation_ignored", "redeemed"] satisfies RefreshOutcome[];

const known: readonly string[] = [...auditedTypes, ...outcomes];

/**
 * Parses a type of audit log entries, or one of `outcomes`.
 *
 * @throws InvalidArgumentError if the type is unknown. Its message has the closest name and the list of all types.
 */
export function parseAuditType(text: string): AuditType {
  if (outcomes.includes(text)) return { type: "refresh", outcome: text };
  if (known.includes(text)) return { type: text };
  const closest = closestMatch(text, known, { maxDistance: Math.ceil(text.length / 3) });
  const hint = closest === undefined ? "" : ` Did you mean ${closest}?`;
  throw new InvalidArgumentError(`Unknown type.${hint} The types are ${known.join(", ")}.`);
}
