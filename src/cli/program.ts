import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addHealthcheck } from "./commands/healthcheck.ts";
import { addVerifier } from "./commands/verifier.ts";
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
    const program = await createProgram(argv[0], context);
    await program.parseAsync(argv, { from: "user" });
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

/** Creates the program. `name` is the command that will run: `undefined` adds all of them. */
export async function createProgram(name: string | undefined, context: Context): Promise<Command> {
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
  // These have no database, so they load none of the code for one.
  if (name !== "verifier" && name !== "healthcheck")
    (await import("./commands/index.ts")).addDatabaseCommands(program, context);
  addVerifier(program, context);
  addHealthcheck(program, context);
  return program;
}

function readVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return version;
}
