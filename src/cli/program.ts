import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addAudit } from "./commands/audit.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addFlushExpiredTokens } from "./commands/flushexpiredtokens.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addServe } from "./commands/serve.ts";
import { addSessions } from "./commands/sessions.ts";
import { addUsers } from "./commands/users.ts";
import type { Context } from "./context.ts";
import { Misused, toReason } from "./refused.ts";

/**
 * Runs one command line (without `node` and the script's name) and says how it ended: 0 done, 1 refused with the reason
 * on stderr, 2 usage. Never rejects. `serve` goes on running when this fulfils.
 */
export async function run(argv: readonly string[], context: Context): Promise<0 | 1 | 2> {
  try {
    await createProgram(context).parseAsync(argv, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Misused) {
      context.stderr.write(`error: ${error.message}\n`);
      return 2;
    }
    context.stderr.write(`tokenpair: ${toReason(error)}\n`);
    return 1;
  }
}

function createProgram(context: Context): Command {
  const program = new Command("tokenpair")
    .description("Token-pair authentication: the server, and the hands on its database.")
    .version(readVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
  addServe(program, context);
  addMigrate(program, context);
  addUsers(program, context);
  addSessions(program, context);
  addAudit(program, context);
  addFlushExpiredTokens(program, context);
  addDoctor(program, context);
  return program;
}

function readVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return version;
}
