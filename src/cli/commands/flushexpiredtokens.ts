import type { Command } from "commander";
import type { DeletedCounts, Store } from "../../core/store/index.ts";
import { toCount } from "../../core/text.ts";
import { deleteExpiredRows } from "../../flows/cleanup.ts";
import type { Config } from "../../server/config/config.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import { type Context, isInteractive } from "../context.ts";
import { startOfLine } from "../terminal.ts";

/** Adds the command `flushexpiredtokens`, which has the name of simplejwt's command. */
export function addFlushExpiredTokens(program: Command, context: Context): void {
  addCommand(
    program,
    "flushexpiredtokens",
    "Delete expired sessions, revocations, failed logins and audit entries, in small batches.",
  ).action((options: CommonOptions) => runOnStore(context, options, (store, config) => flush(store, config, context)));
}

async function flush(store: Store, { settings }: Config, context: Context): Promise<Output> {
  const { auditRetention } = settings;
  const showProgress = (total: DeletedCounts) => context.stderr.write(`${startOfLine}${toSummary(total)} so far`);
  const progress = isInteractive(context) ? { onProgress: showProgress } : {};
  const total = await deleteExpiredRows(store, { auditRetention, ...progress });
  if (isInteractive(context)) context.stderr.write(startOfLine);
  return { lines: [`Deleted ${toSummary(total)}.`], json: toJson(total) };
}

function toJson({ auditEntries, legacyTokens, loginTickets, ...counts }: DeletedCounts) {
  return { ...counts, audit_entries: auditEntries, legacy_tokens: legacyTokens, login_tickets: loginTickets };
}

function toSummary({ sessions, revocations, failures, ...others }: DeletedCounts): string {
  const { auditEntries, legacyTokens, loginTickets } = others;
  const parts = [
    toCount(sessions, "session"),
    toCount(revocations, "revocation"),
    `${toCount(failures, "counter")} of failed logins`,
    toCount(auditEntries, "audit entry", "audit entries"),
    ...(legacyTokens === 0 ? [] : [`${toCount(legacyTokens, "token")} of simplejwt`]),
    ...(loginTickets === 0 ? [] : [`${toCount(loginTickets, "ticket")} of logins`]),
  ];
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
