import { setImmediate } from "node:timers/promises";
import { StoreUnavailableError } from "../core/errors.ts";
import { RequestError } from "../http/request/request-error.ts";
import { type Member, notStaff } from "./access/require-staff.ts";
import type { StaffDeps } from "./staff-deps.ts";

/** What happened to each of several subjects of a change. */
export interface EachResult<T> {
  /** Those that were changed. */
  readonly done: readonly T[];
  /** The errors of those that were not changed. */
  readonly failed: ReadonlyMap<T, unknown>;
  /** The error after which no more were tried, and the subject that had it. */
  readonly stopped?: { readonly subject: T; readonly error: unknown };
}

/**
 * Makes a change for each subject, one after the other. Other requests are served in between, because SQLite's transactions give nothing
 * else a turn. Stops if the member's session or role ends, or if the database doesn't answer: each further one would wait for it, too.
 *
 * @param change must not wait for a confirmation. Wait once, after all of them: `confirmEarlier`.
 */
export async function runEach<T>(
  staff: StaffDeps,
  member: Member,
  subjects: Iterable<T>,
  change: (subject: T) => Promise<unknown>,
): Promise<EachResult<T>> {
  const gone = new AbortController();
  // The session was checked only when the request came in.
  const signal = staff.signal(member.authentication, gone.signal);
  const done: T[] = [];
  const failed = new Map<T, unknown>();
  try {
    for (const subject of subjects) {
      try {
        signal.throwIfAborted();
        if (!staff.hasOwnRoles) await requireSameRole(staff, member);
      } catch (error) {
        return { done, failed, stopped: { subject, error } };
      }
      try {
        await change(subject);
        done.push(subject);
      } catch (error) {
        failed.set(subject, error);
        if (error instanceof StoreUnavailableError || isNoMember(error))
          return { done, failed, stopped: { subject, error } };
      }
      await setImmediate();
    }
    return { done, failed };
  } finally {
    gone.abort();
  }
}

/** Returns whether a transaction has found that the member has no role any more. */
function isNoMember(error: unknown): boolean {
  return error instanceof RequestError && error.body["code"] === "not_staff";
}

/** @throws RequestError 403 if the member has lost the role. Otherwise, the transactions notice that. */
async function requireSameRole(staff: StaffDeps, { userId, role }: Member): Promise<void> {
  if ((await staff.findMember(userId))?.role !== role) throw notStaff();
}
