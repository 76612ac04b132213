import { type Command, Option } from "commander";
import type { Store } from "../../core/store/index.ts";
import { createUserImport } from "../../flows/import-users.ts";
import type { Config } from "../../server/config/config.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { withoutControls } from "../format.ts";
import { createProgressBar } from "../import/progress.ts";
import { readRecords } from "../import/records.ts";
import { createTally, type Refusal, toOutput, toRefusalLine } from "../import/report.ts";
import { runImport } from "../import/run-import.ts";
import { countBytes, detectFormat, type Format, openSource } from "../import/source.ts";
import { operator } from "../operator.ts";
import { Refused } from "../refused.ts";

interface ImportOptions extends CommonOptions {
  readonly format?: Format;
  readonly model: string;
  readonly usernameField: string;
  readonly dryRun?: true;
}

export function addUsersImport(users: Command, context: Context): void {
  const formats: readonly Format[] = ["json", "jsonl", "csv"];
  addCommand(users, "import", "import users of another system, with their password hashes; may be run again")
    .argument("<file>", 'the output of Django\'s dumpdata, JSON Lines or CSV; "-" for stdin')
    .addOption(
      new Option("--format <format>", "the format, where the first character does not tell it").choices(formats),
    )
    .option("--model <model>", "Django's name of the users' model", "auth.user")
    .option("--username-field <name>", "the field to log in with", "username")
    .option("--dry-run", "say what would be done, and change nothing")
    .action((file: string, options: ImportOptions) =>
      runOnStore(context, options, (store, config) => importFile(context, file, options, { store, config })),
    );
}

async function importFile(
  context: Context,
  file: string,
  options: ImportOptions,
  { store, config }: { readonly store: Store; readonly config: Config },
): Promise<Output> {
  const { json = false, dryRun = false } = options;
  const model = options.model.toLowerCase();
  const source = countBytes(await openSource(context, file));
  const detected = await detectFormat(source.bytes);
  const format = options.format ?? detected.format;
  // The names of columns are compared in lower case, those of JSON as they are.
  const usernameField = format === "csv" ? options.usernameField.toLowerCase() : options.usernameField;
  const tally = createTally();
  const refusals: Refusal[] = [];
  const bar = createProgressBar(context);
  const job = {
    records: readRecords(detected.bytes, format, { model, usernameField }),
    usernameField,
    importUsers: createUserImport(toFlowDeps(store, config), { dryRun, client: operator }),
    onRefusal(refusal: Refusal) {
      if (json) refusals.push(refusal);
      else {
        bar.clear();
        context.stdout.write(`${toRefusalLine(refusal)}\n`);
      }
    },
    onBatch: () => bar.show({ share: source.share(), users: tally.created + tally.same, refused: tally.refused }),
  };
  try {
    await runImport(job, tally);
  } catch (error) {
    bar.clear();
    if (tally.created > 0 && !dryRun)
      context.stderr.write(`Stopped after ${tally.created} users, who stay; run it again to go on.\n`);
    throw error;
  }
  bar.clear();
  if (tally.created + tally.same + tally.refused === 0 && tally.otherModels.size > 0) {
    const found = withoutControls([...tally.otherModels.keys()].join(", "));
    throw new Refused(`there is no ${model} in it, but ${found}; name the users' model with --model`);
  }
  return toOutput(tally, refusals, dryRun);
}
