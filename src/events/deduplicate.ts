import type { Clock } from "../core/runtime/clock.ts";
import type { AuthEvent } from "./events.ts";

/** Seconds in which an account or an address gets one entry. */
const interval = 60;

/** The maximum number of accounts and addresses that are remembered. Until the next interval, further ones count as duplicates. */
export const maxRemembered = 1_000;

/**
 * Creates a function that returns whether an event repeats one of the last minute, so that a client that is throttled and
 * keeps sending doesn't fill the audit log. Only `throttled` events are duplicates: those with the same scope and account
 * or, without an account, the same address.
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
