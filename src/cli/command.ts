import type { Command } from "commander";
import type { Store } from "../core/store/index.ts";
import { type Config, loadConfig } from "../server/config/config.ts";
import { openExistingStore } from "../server/config/database.ts";
import type { ServerSettings } from "../server/config/server-settings.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./errors.ts";

/** The options that every command takes. */
export interface CommonOptions {
  /** Overrides the setting `databaseUrl`. */
  readonly database?: string;
  /** Whether to print JSON. */
  readonly json?: true;
}

/** The output of a command, for people and as JSON. */
export interface Output {
  readonly lines: readonly string[];
  readonly json: unknown;
  /** Printed last, on stderr. The exit code is then 1. */
  readonly refusal?: string;
}

/** Adds a subcommand with the options that every command takes. */
export function addCommand(parent: Command, nameAndArguments: string, description: string): Command {
  return parent
    .command(nameAndArguments)
    .description(description)
    .option("--database <url>", 'Database, for example "sqlite:./data/tokenpair.db".')
    .option("--json", "Print JSON.");
}

/** Loads the settings; the flags override every other source. @throws ConfigError */
export function loadConfigFor(
  { directory, env }: Context,
  { database }: CommonOptions,
  flags: Partial<ServerSettings> = {},
): Promise<Config> {
  return loadConfig({
    directory,
    env,
    flags: { ...flags, ...(database === undefined ? {} : { databaseUrl: database }) },
  });
}

/** Prints the output of a command. @throws CommandError if it has a refusal. */
export function print({ stdout }: Context, { json }: CommonOptions, output: Output): void {
  const text = json ? [JSON.stringify(output.json)] : output.lines;
  stdout.write(text.map((line) => `${line}\n`).join(""));
  if (output.refusal !== undefined) throw new CommandError(output.refusal);
}

/** Runs `work` on the store of an existing database whose schema is current, and closes the store. */
export async function withStore<T>(
  context: Context,
  options: CommonOptions,
  work: (store: Store, config: Config) => Promise<T>,
): Promise<T> {
  const config = await loadConfigFor(context, options);
  const store = openExistingStore(config);
  try {
    await store.checkSchema();
    return await work(store, config);
  } finally {
    await store.close();
  }
}

/** Runs `work` as `withStore` does, and prints its output. */
export function runOnStore(
  context: Context,
  options: CommonOptions,
  work: (store: Store, config: Config) => Promise<Output>,
): Promise<void> {
  return withStore(context, options, async (store, config) => print(context, options, await work(store, config)));
}
