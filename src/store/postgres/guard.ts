import type { Guard } from "../../core/store/guard.ts";
import { checkGuard, type GuardedRow } from "../guarded-users.ts";
import type { Run } from "./connection/connection.ts";

// All admins, so that two transactions can't each remove what the other one believes to be the last but one. In the order of the
// rows, so that two transactions don't wait for each other. As no table refers to users, the weaker lock excludes the same.
const lock = `SELECT id, is_active AS "isActive", role, password_hash IS NOT NULL AS "hasPassword" FROM tokenpair.users
  WHERE id = :actorId OR id = :targetId OR role = 'admin' ORDER BY position FOR NO KEY UPDATE`;

/** Locks the users on whom the guard depends, and lets it decide. Without a guard, does nothing. */
export async function requireAllowed(run: Run, guard: Guard | undefined): Promise<void> {
  if (guard === undefined) return;
  const { actorId, targetId } = guard;
  checkGuard(guard, await run<GuardedRow>(lock, { actorId, targetId }));
}
