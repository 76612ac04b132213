import type { Command } from "commander";
import type { Store } from "../core/store/index.ts";
import { type Config, resolveConfig } from "../server/config/config.ts";
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
  /** The reason why the command was refused. It is printed last, on stderr, and the exit code is then 1. */
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

/**
 * Loads the settings. The flags override all other sources.
 *
 * @throws ConfigError if a setting is wrong.
 */
export function loadConfigFor(
  { directory, env }: Context,
  { database }: CommonOptions,
  flags: Partial<ServerSettings> = {},
): Promise<Config> {
  return resolveConfig({
    directory,
    env,
    flags: { ...flags, ...(database === undefined ? {} : { databaseUrl: database }) },
  });
}

/**
 * Prints the output of a command.
 *
 * @throws CommandError if the output has a refusal, or if stdout can't be written to.
 */
export async function print(context: Context, { json }: CommonOptions, output: Output): Promise<void> {
  await writeLines(context, json ? [JSON.stringify(output.json)] : output.lines);
  if (output.refusal !== undefined) throw new CommandError(output.refusal);
}

/**
 * Writes lines to stdout.
 *
 * @returns false if the reader of a pipe, such as `head`, has ended. This is not an error, because the reader needs no more
 * lines.
 * @throws CommandError if stdout can't be written to, for example because the disk is full.
 */
export async function writeLines({ stdout }: Context, lines: readonly string[]): Promise<boolean> {
  const text = lines.map((line) => `${line}\n`).join("");
  const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => stdout.write(text, resolve));
  if (error?.code === "EPIPE") return false;
  if (error) throw new CommandError(`the output can't be written (${error.code ?? error.name})`);
  return true;
}

/** Opens the store of an existing database whose schema is current, runs `work` on it, and closes it. */
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

/** Runs `work` like `withStore`, and prints its output. */
export function runOnStore(
  context: Context,
  options: CommonOptions,
  work: (store: Store, config: Config) => Promise<Output>,
): Promise<void> {
  return withStore(context, options, async (store, config) => print(context, options, await work(store, config)));
}
