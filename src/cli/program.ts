import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addAudit } from "./commands/audit.ts";
import { addBackup } from "./commands/backup.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addFlushExpiredTokens } from "./commands/flushexpiredtokens.ts";
import { addKeys } from "./commands/keys.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addServe } from "./commands/serve.ts";
import { addServices } from "./commands/services.ts";
import { addSessions } from "./commands/sessions.ts";
import { addUsers } from "./commands/users.ts";
import type { Context } from "./context.ts";
import { toErrorMessage, UsageError } from "./errors.ts";

/**
 * Runs one command line. Never rejects. The server that `serve` starts continues to run after the promise fulfils.
 *
 * @param argv the arguments, without `node` and the script's name.
 * @returns the exit code: 0 for success, 1 for a refusal (the reason is on stderr), 2 for wrong usage.
 */
export async function run(argv: readonly string[], context: Context): Promise<0 | 1 | 2> {
  try {
    await createProgram(context).parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UsageError) {
      context.stderr.write(`error: ${error.message}\n`);
      return 2;
    }
    context.stderr.write(`tokenpair: ${toErrorMessage(error)}\n`);
    return 1;
  }
}

function createProgram(context: Context): Command {
  const program = new Command("tokenpair")
    .description("Token-pair authentication server and admin CLI.")
    .version(readVersion(), "-V, --version", "Print the version.")
    .helpOption("-h, --help", "Print help.")
    .helpCommand("help [command]", "Print help for a command.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
  addServe(program, context);
  addMigrate(program, context);
  addUsers(program, context);
  addSessions(program, context);
  addKeys(program, context);
  addServices(program, context);
  addAudit(program, context);
  addFlushExpiredTokens(program, context);
  addBackup(program, context);
  addDoctor(program, context);
  return program;
}

function readVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return version;
}
