import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { revocationRetention } from "../../core/revocation-horizon.ts";
import type { DeletedCounts, Store } from "../../core/store.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import { type Context, isInteractive } from "../context.ts";
import { toCount } from "../format.ts";

/** So few at once that nobody waits long for the lock. */
const batchSize = 1000;

/** Milliseconds between two batches, in which others get the lock. */
const pause = 10;

/** Moves a terminal's cursor to the start of the line and clears it. */
const startOfLine = "\r\u001b[K";

export function addFlushExpiredTokens(program: Command, context: Context): void {
  addCommand(
    program,
    "flushexpiredtokens",
    "delete dead sessions, old revocations and old failed logins, in small batches",
  ).action((options: CommonOptions) => runOnStore(context, options, (store) => flush(store, context)));
}

async function flush(store: Store, context: Context): Promise<Output> {
  let total: DeletedCounts = { sessions: 0, revocations: 0, failures: 0 };
  for (let isMore = true; isMore; ) {
    const deleted = await store.deleteDead({ limit: batchSize, horizon: revocationRetention });
    total = {
      sessions: total.sessions + deleted.sessions,
      revocations: total.revocations + deleted.revocations,
      failures: total.failures + deleted.failures,
    };
    isMore = Object.values(deleted).includes(batchSize);
    if (isInteractive(context)) context.stderr.write(isMore ? `${startOfLine}${toSummary(total)} so far` : startOfLine);
    if (isMore) await setTimeout(pause);
  }
  return { lines: [`Deleted ${toSummary(total)}.`], json: total };
}

function toSummary({ sessions, revocations, failures }: DeletedCounts): string {
  const counts = toCount(failures, "count");
  return `${toCount(sessions, "session")}, ${toCount(revocations, "revocation")} and ${counts} of failed logins`;
}
