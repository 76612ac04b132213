import type { Guard } from "../../core/store/guard.ts";
import { checkGuard, type GuardedRow } from "../guarded-users.ts";
import type { SqliteConnection } from "./connection/connection.ts";

const find = `SELECT id, is_active AS isActive, role, password_hash IS NOT NULL AS hasPassword FROM users
  WHERE id = :actorId OR id = :targetId OR role = 'admin'`;

type FoundRow = Omit<GuardedRow, "isActive" | "hasPassword"> & Record<"isActive" | "hasPassword", 0 | 1>;

/** Lets the guard decide. Call it inside a write, whose lock keeps the users as they are. Without a guard, does nothing. */
export function requireAllowed(connection: SqliteConnection, guard: Guard | undefined): void {
  if (guard === undefined) return;
  const { actorId, targetId } = guard;
  const rows = connection.all<FoundRow>(find, { actorId, targetId });
  checkGuard(
    guard,
    rows.map((row) => ({ ...row, isActive: row.isActive === 1, hasPassword: row.hasPassword === 1 })),
  );
}
