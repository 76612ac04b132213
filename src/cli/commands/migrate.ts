import type { Command } from "commander";
import { openStore, parseDatabaseUrl } from "../../server/config/database.ts";
import { addCommand, type CommonOptions, loadConfigFor, print } from "../command.ts";
import type { Context } from "../context.ts";

/** Adds the command `migrate`. */
export function addMigrate(program: Command, context: Context): void {
  addCommand(program, "migrate", "Apply pending schema migrations.").action((options: CommonOptions) =>
    runMigrate(context, options),
  );
}

async function runMigrate(context: Context, options: CommonOptions): Promise<void> {
  const config = await loadConfigFor(context, options);
  const store = openStore(parseDatabaseUrl(config.server.databaseUrl, config.directory), config);
  try {
    const applied = await store.migrate();
    const lines = applied.length === 0 ? ["No pending migrations: the schema is up to date."] : applied.map(toLine);
    await print(context, options, { lines, json: { applied } });
  } finally {
    await store.close();
  }
}

const toLine = (name: string) => `Applied ${name}`;
