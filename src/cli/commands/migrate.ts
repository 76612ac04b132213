import type { Command } from "commander";
import { toCount, withoutControls } from "../../core/text.ts";
import { type Collision, updateUsernameKeys } from "../../flows/users/username-keys.ts";
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
    const { replaced, collisions } = await updateUsernameKeys({ store, settings: config.settings });
    const lines = [
      ...(applied.length === 0 ? ["No pending migrations: the schema is up to date."] : applied.map(toLine)),
      ...(replaced === 0 ? [] : [`Usernames are now compared without case: ${toCount(replaced, "user")} changed.`]),
      ...collisions.map(toCollisionLine),
    ];
    const pairs = collisions.map(({ user, other }) => ({ id: user.id, other_id: other.id }));
    await print(context, options, { lines, json: { applied, username_keys: replaced, username_collisions: pairs } });
  } finally {
    await store.close();
  }
}

const toLine = (name: string) => `Applied ${name}`;

/** Returns the line about two usernames that differ only in case. Both users can still log in with their own spelling. */
function toCollisionLine({ user, other }: Collision): string {
  return (
    `The usernames ${withoutControls(user.username)} (id ${user.id}) and ${withoutControls(other.username)} ` +
    `(id ${other.id}) differ only in case. Both work; rename one of them.`
  );
}
