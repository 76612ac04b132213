import type { Clock } from "../core/runtime/clock.ts";
import type { AuthEvent } from "./events.ts";

/** The time in which a subject gets only so many entries, in seconds. */
const interval = 60;

/** The maximum number of entries of one type that a user can cause in an interval. */
export const maxPerUser = 10;

/** The maximum number of different refusals of one staff member that are recorded in an interval. */
export const maxPerMember = 100;

/**
 * The maximum number of accounts or addresses that are counted for each scope of `throttled`. Further ones get no entry, because a
 * client can have any number of addresses.
 */
export const maxThrottled = 1_000;

/**
 * The maximum number of users that are counted for each type of event. The queue can't write more entries in an interval. Further
 * users have no limit, so the queue records their events or reports that it dropped them.
 */
export const maxUsers = 24_000;

/** How many entries a subject gets in an interval. */
interface Limit {
  /** What is counted together: events of one type, and of one kind if the type has several. */
  readonly group: string;
  /** Who or what has only so many entries of the group. */
  readonly subject: string;
  readonly most: number;
  /** Whether further subjects get no entry if the group has so many subjects that no more are counted. */
  readonly isClosedIfFull: boolean;
  /** The maximum number of subjects of the group that are counted. */
  readonly maxSubjects: number;
}

/**
 * Creates a function that counts an event and returns whether it is over its limit: in the last minute, its subject got all the
 * entries that it gets in the audit log. Without limits, a client could fill the log, or the queue, which then drops the entries of
 * others.
 */
export function createEntryLimit({ now }: Pick<Clock, "now">): (event: AuthEvent) => boolean {
  const groups = new Map<string, Map<string, number>>();
  let since = Number.NEGATIVE_INFINITY;

  function isReached({ group, subject, most, maxSubjects, isClosedIfFull }: Limit): boolean {
    const counts = groups.get(group);
    const count = counts?.get(subject);
    return count === undefined ? isClosedIfFull && counts?.size === maxSubjects : count >= most;
  }

  function count({ group, subject, maxSubjects }: Limit): void {
    const counts = groups.get(group) ?? new Map<string, number>();
    groups.set(group, counts);
    const before = counts.get(subject);
    if (before !== undefined || counts.size < maxSubjects) counts.set(subject, (before ?? 0) + 1);
  }

  return (event) => {
    const limits = findLimits(event);
    const time = now();
    // An interval also begins if the clock was set back.
    if (time >= since + interval || time < since) {
      groups.clear();
      since = time;
    }
    if (limits.some(isReached)) return true;
    limits.forEach(count);
    return false;
  };
}

/** Returns the limits of an event that requests can cause as often as their sender likes; all others have none. */
function findLimits(event: AuthEvent): readonly Limit[] {
  switch (event.type) {
    case "throttled": {
      const subject = `${event.userId ?? event.client.ip}`;
      return [
        { group: `${event.type} ${event.scope}`, subject, most: 1, maxSubjects: maxThrottled, isClosedIfFull: true },
      ];
    }
    case "staff_refused": {
      const { type, userId, action, code, targetId = "" } = event;
      // A repetition says nothing new, but a member must not be able to hide an attempt behind others.
      return [
        toLimit(type, userId, maxPerMember),
        toLimit(`${type} again`, `${userId} ${action} ${code} ${targetId}`, 1),
      ];
    }
    case "csrf_refused":
    case "login_pending":
    case "rehash_failed":
      return [toLimit(event.type, event.userId)];
    case "login_failed":
      // Wrong passwords are throttled.
      return event.code === "ticket_invalid" ? [toLimit(event.type, event.userId)] : [];
    case "refresh":
      // `auditRotations` asks for an entry of each success.
      return event.outcome === "not_rotated" ? [] : [toLimit(`${event.type} ${event.outcome}`, event.userId)];
    default:
      return [];
  }
}

function toLimit(group: string, subject: string | undefined, most = maxPerUser): Limit {
  return { group, subject: `${subject}`, most, maxSubjects: maxUsers, isClosedIfFull: false };
}
