import { setImmediate } from "node:timers/promises";
import { StoreUnavailableError } from "../core/errors.ts";
import { RequestError } from "../http/request/request-error.ts";
import { type Member, notStaff } from "./require-staff.ts";
import type { StaffDeps } from "./staff-deps.ts";

/** How many changes are made before the role of an application's member is looked up again. */
const rolePeriod = 100;

/** What happened to each of several ids. */
export interface EachResult {
  /** The ids that were changed. */
  readonly done: readonly string[];
  /** The errors of the ids that were not changed. */
  readonly failed: ReadonlyMap<string, unknown>;
  /** The error after which no more ids were tried, and the id that had it. */
  readonly stopped?: { readonly id: string; readonly error: unknown };
}

/**
 * Makes a change for each id, one after the other. Other requests are served in between, because SQLite's transactions give nothing
 * else a turn. Stops if the member's session or role ends, or if the database doesn't answer: each further id would wait for it, too.
 *
 * @param change must not wait for a confirmation. Wait once, after all of them: `confirmEarlier`.
 */
export async function runEach(
  staff: StaffDeps,
  member: Member,
  ids: Iterable<string>,
  change: (id: string) => Promise<unknown>,
): Promise<EachResult> {
  // The session was checked only when the request came in.
  const signal = staff.signal(member.authentication);
  const done: string[] = [];
  const failed = new Map<string, unknown>();
  for (const id of ids) {
    try {
      signal.throwIfAborted();
      if (!staff.hasOwnRoles && (done.length + 1) % rolePeriod === 0) await requireSameRole(staff, member);
    } catch (error) {
      return { done, failed, stopped: { id, error } };
    }
    try {
      await change(id);
      done.push(id);
    } catch (error) {
      failed.set(id, error);
      if (error instanceof StoreUnavailableError || isNoMember(error)) return { done, failed, stopped: { id, error } };
    }
    await setImmediate();
  }
  return { done, failed };
}

/** Returns whether a transaction has found that the member has no role any more. */
function isNoMember(error: unknown): boolean {
  return error instanceof RequestError && error.body["code"] === "not_staff";
}

/** @throws RequestError 403 if the member has lost the role. Otherwise, the transactions notice that. */
async function requireSameRole(staff: StaffDeps, { userId, role }: Member): Promise<void> {
  if ((await staff.findMember(userId))?.role !== role) throw notStaff();
}
