import { toCount, withoutControls } from "../../core/text.ts";
import type { Output } from "../command.ts";

/** A record that was refused. */
export interface Refusal {
  /** The number of the record's first line. `null` if the reason concerns the whole file. */
  readonly line: number | null;
  /** The user's id, if the record has an id that can be read. */
  readonly id: string | null;
  /** The reason, as a full sentence. */
  readonly reason: string;
}

/** The counts of an import so far. */
export interface Tally {
  /** The number of imported users. */
  created: number;
  /** The number of users who already existed with the same name. */
  same: number;
  /** The number of refused records. */
  refused: number;
  /** The counts of tokens that simplejwt has revoked. */
  readonly tokens: TokenTally;
  /** The number of records of other Django models, by model. */
  readonly otherModels: Map<string, number>;
  /** The names of the fields that are ignored. */
  readonly ignored: Set<string>;
}

/** The counts of tokens that simplejwt has revoked. */
export interface TokenTally {
  /** The number of tokens that were stored. */
  stored: number;
  /** The number of tokens that had already been stored. */
  same: number;
  /** The number of tokens that have expired. Nothing is stored about them. */
  expired: number;
  /** The number of tokens without a `jti` in the file, because their row was added while the dump was being made. */
  missing: number;
  /** The number of sessions that were revoked, because their tokens had already been redeemed. */
  revokedSessions: number;
}

/** The maximum number of models or fields to report. A file with more of them is probably not a list of users. */
const maxNames = 20;

/** Creates a tally of zeros. */
export function createTally(): Tally {
  const tokens = { stored: 0, same: 0, expired: 0, missing: 0, revokedSessions: 0 };
  return { created: 0, same: 0, refused: 0, tokens, otherModels: new Map(), ignored: new Set() };
}

/** Counts a record of another Django model. */
export function countOtherModel({ otherModels }: Tally, model: string): void {
  if (otherModels.size < maxNames || otherModels.has(model)) otherModels.set(model, (otherModels.get(model) ?? 0) + 1);
}

/** Adds the names of ignored fields. */
export function addIgnored({ ignored }: Tally, names: readonly string[]): void {
  for (const name of names) if (ignored.size < maxNames) ignored.add(name);
}

/** Returns the line that reports a refused record. */
export function toRefusalLine({ line, id, reason }: Refusal): string {
  const place = line === null ? "" : `line ${line}${id === null ? "" : ` (id ${id})`}: `;
  return withoutControls(place + reason);
}

/** Returns the output at the end of an import. */
export function toOutput(tally: Tally, refusals: readonly Refusal[], dryRun: boolean): Output {
  const { created, same, refused, tokens, otherModels, ignored } = tally;
  const skipped = [...otherModels].map(([model, count]) => `${count} of ${model}`);
  return {
    lines: [
      `${dryRun ? "Would import" : "Imported"} ${toCount(created, "user")}${same === 0 ? "" : `; ${same} existed already`}.`,
      ...toTokenLines(tokens, dryRun),
      ...(skipped.length === 0 ? [] : [`Skipped records of other models: ${skipped.join(", ")}.`]),
      ...(ignored.size === 0 ? [] : [`Ignored fields: ${[...ignored].join(", ")}.`]),
    ].map(withoutControls),
    json: {
      dry_run: dryRun,
      imported: created,
      already_there: same,
      refused: refusals,
      revoked_tokens: {
        stored: tokens.stored,
        already_there: tokens.same,
        expired: tokens.expired,
        missing: tokens.missing,
        sessions: tokens.revokedSessions,
      },
      other_models: Object.fromEntries(otherModels),
      ignored_fields: [...ignored],
    },
    ...(refused === 0 ? {} : { refusal: `${toCount(refused, "record")} ${refused === 1 ? "was" : "were"} refused` }),
  };
}

function toTokenLines(tally: TokenTally, dryRun: boolean): readonly string[] {
  const { stored, same, expired, missing, revokedSessions } = tally;
  if (stored + same + expired + missing === 0) return [];
  const others = `${same === 0 ? "" : `; ${same} existed already`}${expired === 0 ? "" : `; ${expired} had expired`}`;
  return [
    `${dryRun ? "Would store" : "Stored"} ${toCount(stored, "revoked token")}${others}.`,
    ...(missing === 0
      ? []
      : [`Left out ${toCount(missing, "revoked token")}, added while the dump was made. Import another dump later.`]),
    ...(revokedSessions === 0
      ? []
      : [`Revoked ${toCount(revokedSessions, "session")}: the tokens had been redeemed before this import.`]),
  ];
}
