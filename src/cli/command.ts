import type { Command } from "commander";
import type { Store } from "../core/store/index.ts";
import { type Config, loadConfig } from "../server/config/config.ts";
import { openExistingStore } from "../server/config/database.ts";
import type { ServerSettings } from "../server/config/server-settings.ts";
import type { Context } from "./context.ts";
import { Refused } from "./refused.ts";

/** The options that every command takes. */
export interface CommonOptions {
  readonly database?: string;
  readonly json?: true;
}

/** What a command has to say: to people, and to programs. */
export interface Output {
  readonly lines: readonly string[];
  readonly json: unknown;
  /** Printed after the rest, on stderr; the exit code is then 1. */
  readonly refusal?: string;
}

/** A subcommand of `parent` with the options that every command takes. */
export function addCommand(parent: Command, nameAndArguments: string, description: string): Command {
  return parent
    .command(nameAndArguments)
    .description(description)
    .option("--database <url>", 'the database, such as "sqlite:./data/tokenpair.db"')
    .option("--json", "print JSON, for programs");
}

/** The settings, with the flags above all. @throws ConfigError */
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

/** Prints what a command has to say. @throws Refused where it says no. */
export function print({ stdout }: Context, { json }: CommonOptions, output: Output): void {
  const text = json ? [JSON.stringify(output.json)] : output.lines;
  stdout.write(text.map((line) => `${line}\n`).join(""));
  if (output.refusal !== undefined) throw new Refused(output.refusal);
}

/** Runs `work` on the store of an existing database whose schema is current, and closes it. */
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

/** As `withStore`, and prints what `work` returns. */
export function runOnStore(
  context: Context,
  options: CommonOptions,
  work: (store: Store, config: Config) => Promise<Output>,
): Promise<void> {
  return withStore(context, options, async (store, config) => print(context, options, await work(store, config)));
}
