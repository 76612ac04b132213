import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { z } from "zod";
import type { AnyAuth } from "../../auth.ts";
import { createLoop } from "../../core/runtime/loop.ts";
import { type Schedule, unrefSchedule } from "../../core/runtime/schedule.ts";
import type { AuthEvent } from "../../events/events.ts";
import type { Deps } from "../../flows/deps.ts";
import { countedMinutes, createMinuteCounts } from "./minute-counts.ts";

/** How often a node reports, in milliseconds. */
const interval = 5_000;

/**
 * How often the live sessions are counted, in milliseconds: the least and the most. A count takes a 200th of the time between two at
 * most. One node is enough, so the others use its numbers.
 */
const countIntervals = { least: 5_000, most: 60_000, perMillisecond: 200 } as const;

/** For how long durations count, in milliseconds, and how many of a kind are kept at most. */
const kept = { age: 60_000, number: 1_000 } as const;

const series = z.array(z.number()).length(countedMinutes);

/** The body of a node's report. */
export const reportSchema = z.object({
  name: z.string(),
  version: z.string(),
  started_at: z.number(),
  feed_age: z.number(),
  lag_p99: z.number().nullable(),
  refresh_p99: z.number().nullable(),
  login_p99: z.number().nullable(),
  hash_queue: z.number(),
  revocations: z.number(),
  logins: series,
  failed_logins: series,
  refreshes: series,
  replays: series,
  live: z.object({ sessions: z.number(), users: z.number(), at: z.number() }).nullable(),
});

/** The body of a node's report. The durations are the 99th percentiles of the last minute. Times are whole seconds since the epoch, durations milliseconds, `feed_age` seconds. */
export type ReportBody = z.infer<typeof reportSchema>;

/** The kinds of requests whose durations are reported. */
export type TimedRequest = "login" | "refresh";

/** How long something took, in milliseconds, and when, on the monotonic clock. */
interface Duration {
  readonly at: number;
  readonly milliseconds: number;
}

/** Reports what this node does, so that the console of every node can show it. */
export interface NodeReporter {
  /** The id of this process. */
  readonly id: string;
  /** Notes how long a request took, in milliseconds. */
  time(request: TimedRequest, milliseconds: number): void;
  /** Stops reporting. */
  stop(): Promise<void>;
}

/** Starts to report. */
export function startNodeReporter(
  auth: Pick<AnyAuth, "on" | "stats">,
  { store, clock, settings }: Pick<Deps, "store" | "clock" | "settings">,
  {
    version,
    lagListeners,
    schedule = unrefSchedule,
  }: { readonly version: string; readonly lagListeners: Set<(seconds: number) => void>; readonly schedule?: Schedule },
): NodeReporter {
  const id = randomUUID();
  const startedAt = clock.now();
  const counts = {
    logins: createMinuteCounts(),
    failed_logins: createMinuteCounts(),
    refreshes: createMinuteCounts(),
    replays: createMinuteCounts(),
  };
  const durations: Readonly<Record<TimedRequest | "lag", Duration[]>> = { login: [], refresh: [], lag: [] };
  let live: ReportBody["live"] = null;
  let countedAt = Number.NEGATIVE_INFINITY;
  let countInterval: number = countIntervals.least;

  const removeListener = auth.on((event) => {
    const kind = toKind(event);
    if (kind !== null) counts[kind].add(clock.now());
  });

  function note(kind: keyof typeof durations, milliseconds: number): void {
    const noted = durations[kind];
    noted.push({ at: clock.monotonic(), milliseconds });
    if (noted.length > kept.number) noted.shift();
  }

  function toP99(kind: keyof typeof durations): number | null {
    const since = clock.monotonic() - kept.age;
    const recent = durations[kind].filter(({ at }) => at >= since).map(({ milliseconds }) => milliseconds);
    const sorted = recent.sort((one, other) => one - other);
    return sorted[Math.max(0, Math.ceil(sorted.length * 0.99) - 1)] ?? null;
  }

  const onLag = (seconds: number) => note("lag", seconds * 1_000);
  lagListeners.add(onLag);

  async function countIfDue(): Promise<void> {
    const startedToCount = clock.monotonic();
    if (startedToCount - countedAt < countInterval) return;
    countedAt = startedToCount;
    const { reports, now } = await store.staff.reports();
    const others = reports.filter((report) => report.id !== id).map(({ body }) => parseReport(body)?.live?.at ?? 0);
    if (others.some((at) => at > now - countInterval / 1_000)) return;
    live = { ...(await store.staff.countLive()), at: now };
    const { least, most, perMillisecond } = countIntervals;
    countInterval = Math.min(most, Math.max(least, (clock.monotonic() - startedToCount) * perMillisecond));
  }

  const loop = createLoop({
    schedule,
    onError: () => interval,
    async step() {
      await countIfDue();
      const now = clock.now();
      const { revocations, passwords } = auth.stats();
      const body: ReportBody = {
        name: settings.nodeName ?? hostname(),
        version,
        started_at: startedAt,
        // JSON has no Infinity.
        feed_age: Math.min(revocations.staleSeconds, Number.MAX_SAFE_INTEGER),
        lag_p99: toP99("lag"),
        refresh_p99: toP99("refresh"),
        login_p99: toP99("login"),
        hash_queue: passwords.waiting,
        revocations: revocations.live,
        logins: [...counts.logins.series(now)],
        failed_logins: [...counts.failed_logins.series(now)],
        refreshes: [...counts.refreshes.series(now)],
        replays: [...counts.replays.series(now)],
        live,
      };
      await store.staff.report({ id, body: JSON.stringify(body) });
      return interval;
    },
  });
  loop.wake();
  return {
    id,
    time: note,
    async stop() {
      removeListener();
      lagListeners.delete(onLag);
      await loop.stop();
      // If it fails, the node counts as missing until its report is an hour old.
      await store.staff.forgetReport(id).catch(() => {});
    },
  };
}

/** Parses a report. Returns `null` for one of a version that reports something else. */
export function parseReport(body: string): ReportBody | null {
  const parsed = reportSchema.safeParse(JSON.parse(body));
  return parsed.success ? parsed.data : null;
}

function toKind(event: AuthEvent): "logins" | "failed_logins" | "refreshes" | "replays" | null {
  if (event.type === "login") return "logins";
  if (event.type === "login_failed") return "failed_logins";
  if (event.type !== "refresh") return null;
  if (event.outcome === "replayed") return "replays";
  return event.outcome === "rotated" ? "refreshes" : null;
}
