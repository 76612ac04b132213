import type { Clock } from "../core/runtime/clock.ts";
import type { AuthEvent } from "./events.ts";

/** Seconds in which one entry says that an account or an address is throttled. */
const interval = 60;

/** The most that is remembered; beyond, what is not known counts as a repetition. */
export const maxRemembered = 1_000;

/**
 * Tells whether an event repeats one of the last minute, so that whoever is refused and goes on asking does not fill the audit
 * log. Only of `throttled` events, by scope and account or, without one, address.
 */
export function createDeduplicator({ now }: Pick<Clock, "now">): (event: AuthEvent) => boolean {
  const seen = new Set<string>();
  let since = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.type !== "throttled") return false;
    const time = now();
    // A clock that was set back begins a new minute too.
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
