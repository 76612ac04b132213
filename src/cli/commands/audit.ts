import { setTimeout } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../core/runtime/clock.ts";
import type { AuditEntry, AuditQuery } from "../../core/store/audit.ts";
import type { Store } from "../../core/store/index.ts";
import { findUserByName } from "../../flows/users.ts";
import type { Config } from "../../server/config/config.ts";
import { toAuditJson, toAuditLine } from "../audit-line.ts";
import { type AuditType, parseAuditType } from "../audit-type.ts";
import { addCommand, type CommonOptions, withStore } from "../command.ts";
import type { Context } from "../context.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { Refused } from "../refused.ts";
import { parseSince } from "../since.ts";

interface AuditOptions extends CommonOptions {
  readonly user?: string;
  readonly session?: string;
  readonly type?: AuditType;
  readonly since?: number;
  readonly limit: number;
  readonly follow?: true;
}

/** Milliseconds between two looks at the log. */
const pollInterval = 1_000;

/** How many entries are read at once while following. */
const pageSize = 1_000;

const maxLimit = 100_000;

export function addAudit(program: Command, context: Context): void {
  addCommand(program, "audit", "show the audit log: the newest entries, the oldest of them first")
    .option("--user <name>", "only this user's; a deleted user is named by the id")
    .option("--session <id>", "only this session's")
    .option("--type <type>", "only events of this type, such as login_failed or theft", parseAuditType)
    .option("--since <time>", 'only what came later, such as "1h", "2d" or "2026-01-31T12:00:00Z"', (text) =>
      parseSince(text, systemClock.now()),
    )
    .option("--limit <n>", "how many entries at most", parseLimit, 100)
    .option("--follow", "go on with what comes, until it is interrupted")
    .action((options: AuditOptions) =>
      withStore(context, options, async (store, config) => {
        const query = await toQuery(store, config, options);
        const write = createWriter(store, context, options);
        await show(store, query, write, options);
      }),
    );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > maxLimit) {
    throw new InvalidArgumentError(`Must be a number from 1 to ${maxLimit}.`);
  }
  return limit;
}

type Query = Omit<AuditQuery, "after" | "limit">;

/** What to look for. @throws Refused where neither a user nor an entry has this name or id. */
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
    throw new Refused(`there is no user ${name}, and no entry of a deleted one with this id`);
  }
  return { ...query, userId };
}

type Write = (entries: readonly AuditEntry[]) => Promise<void>;

/** Writes entries as they come, each on a line of its own. */
function createWriter(store: Store, { stdout }: Context, { json }: AuditOptions): Write {
  const names = new Map<string, string | undefined>();

  async function findName(userId: string | null): Promise<string | undefined> {
    if (userId === null) return undefined;
    if (!names.has(userId)) names.set(userId, (await store.users.findById(userId))?.username || undefined);
    return names.get(userId);
  }

  return async (entries) => {
    for (const entry of entries) {
      const line = json ? JSON.stringify(toAuditJson(entry)) : toAuditLine(entry, await findName(entry.userId));
      stdout.write(`${line}\n`);
    }
  };
}

async function show(store: Store, query: Query, write: Write, { limit, follow }: AuditOptions): Promise<void> {
  let { cursor, entries } = await store.audit.read({ ...query, after: null, limit });
  await write(entries);
  while (follow) {
    await setTimeout(pollInterval);
    for (let more = true; more; ) {
      ({ cursor, entries, more } = await store.audit.read({ ...query, after: cursor, limit: pageSize }));
      await write(entries);
    }
  }
}
