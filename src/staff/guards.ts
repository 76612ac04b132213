import { AuthError } from "../core/errors.ts";
import type { Guard, GuardedUsers } from "../core/store/guard.ts";
import { RequestError } from "../http/request/request-error.ts";
import { isBetweenAdmins, mayAct } from "./allowed-actions.ts";
import type { Permission, UserAction } from "./api.ts";
import { isAllowed } from "./permissions.ts";
import { type Member, notStaff, permissionDenied } from "./require-staff.ts";
import { userNotFound } from "./routes/responses.ts";
import { confirmationAge } from "./staff-deps.ts";

/** A change of one user by a member of the staff. */
export interface GuardedChange {
  readonly targetId: string;
  readonly action: UserAction;
  /** Whether the target is no longer an admin who can log in with a password after it. Default: false. */
  readonly removesAdmin?: boolean;
  /** Whether the member was authenticated within the last ten minutes. */
  readonly isConfirmed: boolean;
}

/** Returns the guard of a change, which the store asks in the transaction of the change. */
export function toGuard({ userId }: Pick<Member, "userId">, change: GuardedChange): Guard {
  return { actorId: userId, targetId: change.targetId, check: (users) => requireAllowed(users, change) };
}

/**
 * Returns the guard of a change that has no user as its target. The store asks in the transaction of the change whether the member still
 * has the permission.
 */
export function toPermissionGuard({ userId }: Pick<Member, "userId">, permission: Permission): Guard {
  return {
    actorId: userId,
    targetId: userId,
    check({ actor }) {
      if (actor === null || !actor.isActive || actor.role === null) throw notStaff();
      if (!isAllowed(actor.role, permission)) throw permissionDenied(actor.role);
    },
  };
}

/**
 * Refuses a change that the actor may not make: by the roles as they are now.
 *
 * @throws RequestError 403 `not_staff` or `permission_denied`, 404, or 409 `last_admin`. AuthError `confirmation_required`.
 */
export function requireAllowed(
  { actor, target, otherAdmins }: GuardedUsers,
  { action, removesAdmin = false, isConfirmed }: Omit<GuardedChange, "targetId">,
): void {
  if (actor === null || !actor.isActive || actor.role === null) throw notStaff();
  if (target === null) throw userNotFound();
  const member = { userId: actor.id, role: actor.role };
  if (!mayAct(member, target, action)) throw permissionDenied(actor.role);
  if (isBetweenAdmins(member, target) && !isConfirmed) throw confirmationRequired();
  if (removesAdmin && target.role === "admin" && target.isActive && otherAdmins === 0) {
    throw new RequestError(409, {
      detail: "This is the last active admin with a password. Make another user an admin first.",
      code: "last_admin",
    });
  }
}

/** Returns the refusal of a member who must confirm first. */
export const confirmationRequired = () =>
  new AuthError("confirmation_required", "a member of the staff must confirm", {
    requirement: { maxAge: confirmationAge },
  });
