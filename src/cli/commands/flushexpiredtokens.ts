import type { Command } from "commander";
import type { DeletedCounts, Store } from "../../core/store.ts";
import { cleanUp } from "../../flows/clean-up.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import { type Context, isInteractive } from "../context.ts";
import { toCount } from "../format.ts";

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
  const showProgress = (total: DeletedCounts) => context.stderr.write(`${startOfLine}${toSummary(total)} so far`);
  const total = await cleanUp(store, isInteractive(context) ? { onProgress: showProgress } : {});
  if (isInteractive(context)) context.stderr.write(startOfLine);
  return { lines: [`Deleted ${toSummary(total)}.`], json: total };
}

function toSummary({ sessions, revocations, failures }: DeletedCounts): string {
  const counts = toCount(failures, "count");
  return `${toCount(sessions, "session")}, ${toCount(revocations, "revocation")} and ${counts} of failed logins`;
}
