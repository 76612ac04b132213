import type { Command } from "commander";
import { toCount } from "../../core/text.ts";
import { ConfigError } from "../../server/config/config-error.ts";
import { parseDatabaseUrl } from "../../server/config/database.ts";
import { checkDatabase } from "../../server/doctor/database-checks.ts";
import { checkKeys } from "../../server/doctor/key-check.ts";
import { checkLegacyKey } from "../../server/doctor/legacy-checks.ts";
import { checkEnvironment, checkSettings } from "../../server/doctor/setting-checks.ts";
import { type Check, fail, ok } from "../../staff/health/check.ts";
import { addCommand, type CommonOptions, loadConfigFor, print } from "../command.ts";
import type { Context } from "../context.ts";

/** Adds the command `doctor`. */
export function addDoctor(program: Command, context: Context): void {
  const description = "Check settings, database, signing key and clock, and warn about unsafe settings.";
  addCommand(program, "doctor", description).action(async (options: CommonOptions) => {
    const checks = await runChecks(context, options);
    const failed = checks.filter(({ status }) => status === "fail").length;
    await print(context, options, {
      lines: checks.map(toLine),
      json: { checks },
      ...(failed === 0 ? {} : { refusal: `${toCount(failed, "check")} failed` }),
    });
  });
}

async function runChecks(context: Context, options: CommonOptions): Promise<readonly Check[]> {
  try {
    const config = await loadConfigFor(context, options);
    const database = parseDatabaseUrl(config.server.databaseUrl, config.directory);
    return [
      ok("settings", `Valid. Source: ${config.source}.`),
      ...(await checkDatabase(database, config)),
      ...checkKeys(config, database),
      ...checkLegacyKey(config),
      ...checkSettings(config),
      ...checkEnvironment(context.env),
    ];
  } catch (error) {
    if (error instanceof ConfigError) return [fail("settings", error.message)];
    throw error;
  }
}

function toLine({ name, status, detail }: Check): string {
  return `${status.padEnd(4)}  ${name.padEnd(20)}  ${detail}`;
}
