import type { Output } from "../command.ts";
import { toCount, withoutControls } from "../format.ts";

/** A user who was not imported. */
export interface Refusal {
  readonly line: number;
  /** As far as it is known. */
  readonly id: string | null;
  readonly reason: string;
}

/** What has come of an import. */
export interface Tally {
  created: number;
  same: number;
  refused: number;
  /** Records of other Django models, by model. */
  readonly otherModels: Map<string, number>;
  /** Names of fields that nobody asked for. */
  readonly ignored: Set<string>;
}

/** More names than this are a mistake in the file, and help nobody. */
const maxNames = 20;

export function createTally(): Tally {
  return { created: 0, same: 0, refused: 0, otherModels: new Map(), ignored: new Set() };
}

/** Counts a record of another model. */
export function countOtherModel({ otherModels }: Tally, model: string): void {
  if (otherModels.size < maxNames || otherModels.has(model)) otherModels.set(model, (otherModels.get(model) ?? 0) + 1);
}

/** Notes the names of fields that are ignored. */
export function noteIgnored({ ignored }: Tally, names: readonly string[]): void {
  for (const name of names) if (ignored.size < maxNames) ignored.add(name);
}

export function toRefusalLine({ line, id, reason }: Refusal): string {
  return withoutControls(`line ${line}${id === null ? "" : ` (id ${id})`}: ${reason}`);
}

/** The end of an import, in words and as JSON. */
export function toOutput(tally: Tally, refusals: readonly Refusal[], dryRun: boolean): Output {
  const { created, same, refused, otherModels, ignored } = tally;
  const skipped = [...otherModels].map(([model, count]) => `${count} of ${model}`);
  return {
    lines: [
      `${dryRun ? "Would import" : "Imported"} ${toCount(created, "user")}${same === 0 ? "" : `; ${same} there already`}.`,
      ...(skipped.length === 0 ? [] : [`Skipped records of other models: ${skipped.join(", ")}.`]),
      ...(ignored.size === 0 ? [] : [`Ignored fields: ${[...ignored].join(", ")}.`]),
    ].map(withoutControls),
    json: {
      dry_run: dryRun,
      imported: created,
      already_there: same,
      refused: refusals,
      other_models: Object.fromEntries(otherModels),
      ignored_fields: [...ignored],
    },
    ...(refused === 0 ? {} : { refusal: `${toCount(refused, "record")} ${refused === 1 ? "was" : "were"} refused` }),
  };
}
