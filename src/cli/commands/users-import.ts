import { type Command, Option } from "commander";
import { systemClock } from "../../core/runtime/clock.ts";
import type { Store } from "../../core/store/index.ts";
import type { LegacyToken } from "../../core/store/legacy.ts";
import { toCount, withoutControls } from "../../core/text.ts";
import { importRevokedTokens, rehearseRevokedTokens } from "../../flows/legacy/revoke.ts";
import { createUserImport, type ForeignUser } from "../../flows/users/import-users.ts";
import type { Config } from "../../server/config/config.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { requireOwnUsers } from "../find-users.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { createProgressBar } from "../import/progress.ts";
import { readRecords } from "../import/records.ts";
import { createTally, type Refusal, toOutput, toRefusalLine } from "../import/report.ts";
import { createRevokedTokenReader } from "../import/revoked-tokens.ts";
import { runImport } from "../import/run-import.ts";
import { countBytes, detectFormat, type Format, openSource } from "../import/source.ts";
import { operator } from "../operator.ts";

interface ImportOptions extends CommonOptions {
  readonly format?: Format;
  readonly model: string;
  readonly usernameField: string;
  readonly dryRun?: true;
}

/** Adds the command `users import`. */
export function addUsersImport(users: Command, context: Context): void {
  const formats: readonly Format[] = ["json", "jsonl", "csv"];
  addCommand(
    users,
    "import",
    "Import users, their password hashes and revoked tokens from another system. Can be run again.",
  )
    .argument("<file>", 'Output of Django\'s dumpdata, JSON Lines or CSV; "-" for stdin.')
    .addOption(
      new Option("--format <format>", "File format. By default, it is detected from the first character.").choices(
        formats,
      ),
    )
    .option("--model <model>", "Django's user model.", "auth.user")
    .option("--username-field <name>", "Field that holds the login name.", "username")
    .option("--dry-run", "Show what would be imported, and change nothing.")
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
  // Column names are compared in lower case, names in JSON exactly.
  const usernameField = format === "csv" ? options.usernameField.toLowerCase() : options.usernameField;
  const tally = createTally();
  const refusals: Refusal[] = [];
  const bar = createProgressBar(context);
  const deps = toFlowDeps(store, config);
  const importUsers = createUserImport(deps, { dryRun, client: operator });
  const job = {
    records: readRecords(detected.bytes, format, { model, usernameField }),
    usernameField,
    importUsers(users: readonly ForeignUser[]) {
      requireOwnUsers(config);
      return importUsers(users);
    },
    revokedTokens: createRevokedTokenReader(systemClock.now()),
    importTokens: (tokens: readonly LegacyToken[]) =>
      dryRun ? rehearseRevokedTokens(store, tokens) : importRevokedTokens(deps, tokens, operator),
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
    if (tally.created > 0 && !dryRun) {
      context.stderr.write(`Stopped after importing ${toCount(tally.created, "user")}. Run it again to continue.\n`);
    }
    throw error;
  }
  bar.clear();
  const { stored, same, expired } = tally.tokens;
  const found = tally.created + tally.same + tally.refused + stored + same + expired;
  if (found === 0 && tally.otherModels.size > 0) {
    const others = withoutControls([...tally.otherModels.keys()].join(", "));
    throw new CommandError(`no ${model} in the file, only ${others}; name the user model with --model`);
  }
  return toOutput(tally, refusals, dryRun);
}
