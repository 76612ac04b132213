import { checkHistory } from "../../scripts/history/check.ts";
import { type HistoryEntry, invariants, parseHistory } from "../../scripts/history/format.ts";
import type { Judgement } from "../../scripts/history/judge.ts";

type Entry<Op extends HistoryEntry["op"]> = Extract<HistoryEntry, { op: Op }>;
type More<Op extends HistoryEntry["op"]> = Partial<Omit<Entry<Op>, "op">>;

/** Of every history here: an interval of 10 s, and revocations within a second. */
export const settings: Entry<"settings"> = {
  op: "settings",
  reuseInterval: 10,
  sessionLifetime: 1_000,
  revocationBound: 1_000,
  maxStaleness: 10_000,
};

/** Requests take 10 ms; times are in seconds, tokens expire at 900 and sessions at 1,000. */
const at = (second: number, length = 0.01) => ({ start: second * 1_000, end: (second + length) * 1_000 });
const pair = (sid: string, gen: number, jti = `${sid}-${gen}`) => ({
  sid,
  gen,
  jti,
  exp: 900,
  access: { jti: `${jti}-access`, exp: 500 },
});

export const login = (second: number, sid = "s", more: More<"login"> = {}): HistoryEntry => ({
  op: "login",
  ...at(second),
  user: "alice",
  outcome: "ok",
  given: pair(sid, 0),
  ...more,
});

/** A refresh of generation `gen`, by an attempt of its own where none is named. */
export function refresh(
  second: number,
  gen: number,
  outcome: Entry<"refresh">["outcome"] = "rotated",
  { length, sid = "s", jti, ...more }: More<"refresh"> & { length?: number; sid?: string; jti?: string } = {},
): HistoryEntry {
  const gives = outcome === "rotated" || outcome === "replayed";
  return {
    op: "refresh",
    ...at(second, length),
    token: { sid, gen, exp: 900 },
    attempt: `attempt at ${second}`,
    outcome,
    ...(gives ? { given: pair(sid, gen + 1, jti) } : {}),
    ...more,
  };
}

export const logout = (second: number, more: More<"end"> = {}): HistoryEntry => ({
  op: "end",
  ...at(second),
  how: "logout",
  sid: "s",
  outcome: "ok",
  ...more,
});

export const disable = (second: number, more: More<"end"> = {}): HistoryEntry => ({
  op: "end",
  ...at(second),
  how: "disable",
  user: "alice",
  outcome: "ok",
  ...more,
});

export const enable = (second: number): HistoryEntry => ({ op: "enable", ...at(second), user: "alice", outcome: "ok" });

export const access = (second: number, more: More<"access"> = {}): HistoryEntry => ({
  op: "access",
  ...at(second),
  sid: "s",
  outcome: "ok",
  ...more,
});

export const row = (second: number, gen: number, more: More<"row"> = {}): HistoryEntry => ({
  op: "row",
  at: second * 1_000,
  sid: "s",
  gen,
  absolute: 1_000,
  reason: null,
  announced: false,
  ...more,
});

export const ended = (second: number, gen: number, reason = "logout", more: More<"row"> = {}): HistoryEntry =>
  row(second, gen, { reason, announced: true, ...more });

export const audit = (event: Entry<"audit">["event"], gen?: number): HistoryEntry => ({
  op: "audit",
  event,
  sid: "s",
  ...(gen === undefined ? {} : { gen }),
});

/** Writes the entries down, reads them, and judges. Without entries of an audit log, I12 is left out. */
export function judge(...entries: readonly HistoryEntry[]): Judgement {
  const isAudited = entries.some(({ op }) => op === "audit");
  const judged = invariants.filter((name) => name !== "I12" || isAudited);
  return checkHistory(parseHistory(toText({ ...settings, invariants: judged }, ...entries)));
}

export function toText(...entries: readonly object[]): string {
  return entries.map((entry) => JSON.stringify(entry)).join("\n");
}

/** The invariants that these entries violate, each with the numbers of its lines; line 1 is the settings. */
export function violated(...entries: readonly HistoryEntry[]): Record<string, readonly number[]> {
  return Object.fromEntries(judge(...entries).violations.map(({ invariant, lines }) => [invariant, lines]));
}
