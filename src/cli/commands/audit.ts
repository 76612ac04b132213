import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { systemClock } from "../../core/runtime/clock.ts";
import type { AuditEntry, AuditQuery } from "../../core/store/audit.ts";
import type { Store } from "../../core/store/index.ts";
import { findUserByName } from "../../flows/users/users.ts";
import type { Config } from "../../server/config/config.ts";
import { toAuditJson, toAuditLine } from "../audit-line.ts";
import { type AuditType, parseAuditType } from "../audit-type.ts";
import { addCommand, type CommonOptions, withStore, writeLines } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { parseWhole } from "../parse-whole.ts";
import { parseSince } from "../since.ts";
import { addAuditErase } from "./audit-erase.ts";

interface AuditOptions extends CommonOptions {
  readonly user?: string;
  readonly session?: string;
  readonly type?: AuditType;
  readonly since?: number;
  readonly limit: number;
  readonly follow?: true;
}

/** How often `--follow` reads the log, in milliseconds. */
const pollInterval = 1_000;

/** The maximum number of entries that `--follow` reads at once. */
const pageSize = 1_000;

/** Adds the command `audit`. */
export function addAudit(program: Command, context: Context): void {
  const command = addCommand(program, "audit", "Show the newest entries of the audit log, oldest first.")
    .option("--user <name>", "Only entries about this user. For a deleted user, use the id.")
    .option("--session <id>", "Only entries about this session.")
    .option("--type <type>", "Only entries of this type, for example login_failed or reuse_detected.", parseAuditType)
    .option(
      "--since <time>",
      'Only entries since this time, for example "1h", "2d" or "2026-01-31T12:00:00Z".',
      (text) => parseSince(text, systemClock.now()),
    )
    .option("--limit <n>", "Maximum number of entries.", parseWhole("a number", { from: 1, to: 100_000 }), 100)
    .option("--follow", "Keep printing new entries until interrupted.")
    .action((options: AuditOptions) =>
      withStore(context, options, async (store, config) => {
        const query = await toQuery(store, config, options);
        const write = createWriter(store, context, options);
        await show(store, query, write, options);
      }),
    );
  addAuditErase(command, context);
}

type Query = Omit<AuditQuery, "after" | "limit">;

/**
 * Returns the query for the options.
 *
 * @throws CommandError if the value of `--user` is neither the name of a user nor the user of an entry.
 */
async function toQuery(
  store: Store,
  config: Config,
  { user: name, session, type, since }: AuditOptions,
): Promise<Query> {
  const query = { sessionId: session, since, ...type };
  if (name === undefined) return query;
  const user = await findUserByName(toFlowDeps(store, config), name);
  const userId = user?.id ?? name;
  const { entries } = await store.audit.read({ after: null, limit: 1, userId });
  if (user === null && entries.length === 0) {
    throw new CommandError(`no user ${name}, and no audit entry with this user id`);
  }
  return { ...query, userId };
}

/** Prints entries, one per line. Returns false if the reader of stdout has ended. */
type Write = (entries: readonly AuditEntry[]) => Promise<boolean>;

function createWriter(store: Store, context: Context, { json }: AuditOptions): Write {
  const names = new Map<string, string | undefined>();

  async function findName(userId: string | null): Promise<string | undefined> {
    if (userId === null) return undefined;
    if (!names.has(userId)) names.set(userId, (await store.users.findById(userId))?.username || undefined);
    return names.get(userId);
  }

  return async (entries) => {
    const lines: string[] = [];
    for (const entry of entries) {
      lines.push(json ? JSON.stringify(toAuditJson(entry)) : toAuditLine(entry, await findName(entry.userId)));
    }
    return lines.length === 0 || writeLines(context, lines);
  };
}

async function show(store: Store, query: Query, write: Write, { limit, follow }: AuditOptions): Promise<void> {
  let { cursor, entries } = await store.audit.read({ ...query, after: null, limit });
  let isRead = await write(entries);
  while (follow && isRead) {
    await setTimeout(pollInterval);
    for (let more = true; more && isRead; ) {
      ({ cursor, entries, more } = await store.audit.read({ ...query, after: cursor, limit: pageSize }));
      isRead = await write(entries);
    }
  }
}
