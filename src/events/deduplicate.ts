import type { Clock } from "../core/runtime/clock.ts";
import type { AuthEvent } from "./events.ts";

/** The time in which a subject gets only so many entries, in seconds. */
const interval = 60;

/** The maximum number of entries of one type that a user can cause in an interval. */
export const maxPerUser = 10;

/**
 * The maximum number of subjects that are remembered for each type of event. If there are more, their events are superfluous until
 * the next interval.
 */
export const maxRemembered = 1_000;

/** Who or what has only so many entries in an interval. */
interface Subject {
  readonly key: string;
  readonly most: number;
}

/**
 * Creates a function that returns whether an event is superfluous in the audit log, because its subject has caused enough entries of
 * this type in the last minute. Otherwise, a client could fill the log, or the queue, which then drops the entries of others.
 */
export function createDeduplicator({ now }: Pick<Clock, "now">): (event: AuthEvent) => boolean {
  const counts = new Map<AuthEvent["type"], Map<string, number>>();
  let since = Number.NEGATIVE_INFINITY;
  return (event) => {
    const subject = findSubject(event);
    if (subject === null) return false;
    const time = now();
    // An interval also begins if the clock was set back.
    if (time >= since + interval || time < since) {
      counts.clear();
      since = time;
    }
    const ofType = counts.get(event.type) ?? new Map<string, number>();
    counts.set(event.type, ofType);
    const count = ofType.get(subject.key) ?? 0;
    if (count >= subject.most || (count === 0 && ofType.size >= maxRemembered)) return true;
    ofType.set(subject.key, count + 1);
    return false;
  };
}

/** Returns the subject of an event that requests can cause as often as their sender likes; `null` for all others. */
function findSubject(event: AuthEvent): Subject | null {
  switch (event.type) {
    case "throttled":
      return { key: `${event.scope} ${event.userId ?? event.client.ip}`, most: 1 };
    case "csrf_refused":
    case "login_pending":
    case "rehash_failed":
    case "staff_refused":
      return { key: `${event.userId}`, most: maxPerUser };
    case "login_failed":
      // Wrong passwords are throttled.
      return event.code === "ticket_invalid" ? { key: `${event.userId}`, most: maxPerUser } : null;
    case "refresh":
      // `auditRotations` asks for an entry of each success.
      return event.outcome === "not_rotated" ? null : { key: `${event.outcome} ${event.userId}`, most: maxPerUser };
    default:
      return null;
  }
}
