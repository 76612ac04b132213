import type { Role } from "../core/role.ts";
import type { Guard } from "../core/store/guard.ts";

/** A row of a user whom a guard looks at. */
export interface GuardedRow {
  readonly id: string;
  readonly isActive: boolean;
  readonly role: Role | null;
  readonly hasPassword: boolean;
}

/** Lets a guard decide. `rows` are the actor, the target and all admins. */
export function checkGuard({ actorId, targetId, check }: Guard, rows: readonly GuardedRow[]): void {
  const find = (id: string) => {
    const row = rows.find((candidate) => candidate.id === id);
    return row === undefined ? null : { id, isActive: row.isActive, role: row.role };
  };
  const otherAdmins = rows.filter(
    ({ id, isActive, role, hasPassword }) => id !== targetId && isActive && role === "admin" && hasPassword,
  ).length;
  check({ actor: find(actorId), target: find(targetId), otherAdmins });
}
