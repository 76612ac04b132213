import type { RevokeReason } from "../../src/core/session.ts";
import type { AuthEvent, RefreshOutcome, UserChange } from "../../src/events/events.ts";
import type { HistoryEntry, Invariant } from "./format.ts";

/** What the server's log is enough to judge. It has neither attempts nor expiries, and nothing of access tokens. */
const judgeable: readonly Invariant[] = ["I1", "I2", "I3", "I7", "I10", "I12"];

/** Milliseconds that may lie between the decision and its line, where the line does not say when the decision was. */
const slowness = 10_000;

/** A line of the log that `tokenpair serve` writes about an event. Version 0.1 had other names for some. */
interface LogLine {
  readonly msg: AuthEvent["type"] | "sessions_ended";
  readonly time: string;
  /** Seconds, on the store's clock. */
  readonly at?: number;
  readonly outcome?: RefreshOutcome | "theft" | "renewed";
  readonly userId?: string;
  readonly sessionId?: string;
  readonly generation?: number;
  readonly reason?: string;
  readonly change?: UserChange;
}

/** Of these, the log says whom they ended; after the others one session may live on. */
const howOf: Partial<Record<RevokeReason, "revoke" | "disable" | "delete">> = {
  revoked: "revoke",
  user_disabled: "disable",
  user_deleted: "delete",
};

/**
 * Makes a history out of the logs of a server, or of several nodes. Lines that are no JSON are left out: a node that was
 * killed may have left half of one.
 */
export function toHistoryOfLog(text: string): readonly HistoryEntry[] {
  const entries = text.split("\n").flatMap((source) => {
    const line = parseLogLine(source);
    return line === null ? [] : toEntries(line);
  });
  const settings = {
    op: "settings",
    // Not needed for what is judged.
    reuseInterval: 60,
    revocationBound: 0,
    maxStaleness: 0,
    invariants: judgeable,
    // The last lines of a node that was killed may be missing.
    audited: [],
  } as const;
  return [settings, ...entries];
}

function parseLogLine(source: string): LogLine | null {
  try {
    const line = JSON.parse(source);
    return typeof line?.msg === "string" && !Number.isNaN(Date.parse(line.time)) ? line : null;
  } catch {
    return null;
  }
}

function toEntries(line: LogLine): readonly HistoryEntry[] {
  const { userId, sessionId: sid } = line;
  const times = toTimes(line);
  switch (line.msg) {
    case "login":
      return toLogin(userId, sid, times);
    case "refresh":
      return toRefresh(line, times);
    case "sessions_revoked":
    case "sessions_ended":
      return toEnd(line, times);
    case "user_changed":
      if (line.change !== "enabled" || userId === undefined) return [];
      return [{ op: "enable", ...times, user: userId, outcome: "ok" }];
    default:
      return [];
  }
}

type Times = { readonly start: number; readonly end: number };

function toTimes({ time, at }: LogLine): Times {
  if (at !== undefined) return { start: at * 1_000, end: (at + 1) * 1_000 };
  const end = Date.parse(time);
  return { start: end - slowness, end };
}

/** A refresh token of simplejwt that is redeemed starts a session, too. */
function toLogin(user: string | undefined, sid: string | undefined, times: Times): HistoryEntry[] {
  if (sid === undefined || user === undefined) return [];
  return [
    { op: "login", ...times, user, outcome: "ok", given: { sid, gen: 0 } },
    { op: "audit", event: "login", sid },
  ];
}

function toRefresh({ outcome, userId: user, sessionId: sid, generation: gen }: LogLine, times: Times): HistoryEntry[] {
  if (outcome === "redeemed") return toLogin(user, sid, times);
  if (outcome === undefined || sid === undefined || gen === undefined) return [];
  const refresh = { op: "refresh", ...times, user, token: { sid, gen }, outcome } as const;
  if (outcome === "rotated") return [refresh, { op: "audit", event: "rotation", sid, gen }];
  const isReuse = outcome === "reuse_detected" || outcome === "theft";
  return isReuse ? [refresh, { op: "audit", event: "reuse_detected", sid }] : [refresh];
}

function toEnd({ userId: user, sessionId: sid, reason }: LogLine, times: Times): HistoryEntry[] {
  const end = { op: "end", ...times, outcome: "ok", user } as const;
  if (sid !== undefined && reason === "logout") {
    return [
      { ...end, how: "logout", sid },
      { op: "audit", event: "logout", sid },
    ];
  }
  if (sid !== undefined) return [{ ...end, how: "revoke", sid }];
  const how = howOf[reason as RevokeReason];
  return how === undefined ? [] : [{ ...end, how }];
}
