import type { Clock } from "../core/runtime/clock.ts";
import type { AuthEvent } from "./events.ts";

/** The time in which an account or an address gets only one entry, in seconds. */
const interval = 60;

/**
 * The maximum number of accounts and addresses that are remembered. If there are more, their events count as duplicates
 * until the next interval.
 */
export const maxRemembered = 1_000;

/**
 * Creates a function that returns whether an event repeats another one from the last minute. It keeps a client that ignores
 * its throttling from filling the audit log. Only `throttled` events can be duplicates: those with the same scope and
 * account or, if they have no account, with the same scope and address.
 */
export function createDeduplicator({ now }: Pick<Clock, "now">): (event: AuthEvent) => boolean {
  const seen = new Set<string>();
  let since = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.type !== "throttled") return false;
    const time = now();
    // An interval also begins if the clock was set back.
    if (time >= since + interval || time < since) {
      seen.clear();
      since = time;
    }
    const key = `${event.scope} ${event.userId ?? event.client.ip}`;
    if (seen.has(key) || seen.size >= maxRemembered) return true;
    seen.add(key);
    return false;
  };
}
