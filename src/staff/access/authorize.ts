import { AuthError } from "../../core/errors.ts";
import type { Guard, GuardedUser, GuardedUsers } from "../../core/store/guard.ts";
import { findUser } from "../../flows/users/users.ts";
import { RequestError } from "../../http/request/request-error.ts";
import type { Permission, UserAction } from "../api.ts";
import { userNotFound } from "../routes/responses.ts";
import { confirmationAge, type StaffDeps } from "../staff-deps.ts";
import { isBetweenAdmins, mayAct } from "./allowed-actions.ts";
import { isAllowed } from "./permissions.ts";
import { type Member, notStaff, permissionDenied } from "./require-staff.ts";

/*
 * Who may change what. Every change is decided here, twice: before its work, and in its transaction with the roles as they are then.
 */

/** The member who makes a change, and whether the member was authenticated within the last ten minutes. */
export interface Requester {
  readonly member: Pick<Member, "userId" | "role">;
  readonly isConfirmed: boolean;
}

/** A change of a user, or of what belongs to a user. */
export interface UserChange {
  /** The user's id. `null`: nothing says whose it is, so it counts as an admin's. */
  readonly targetId: string | null;
  readonly action: UserAction;
  /** Whether the user is no longer an admin who can log in with a password after it. Default: false. */
  readonly removesAdmin?: boolean;
}

/**
 * Refuses a change that the roles don't allow. With roles in tokenpair's own table, the transaction decides again; with those of an
 * application, no transaction can.
 *
 * @returns the guard to pass to the store.
 * @throws RequestError 403 `not_staff` or `permission_denied`, or 404. AuthError `confirmation_required`.
 */
export async function authorize(
  staff: StaffDeps,
  { member, isConfirmed }: Requester,
  change: UserChange,
): Promise<Guard | undefined> {
  const { targetId, action, removesAdmin = false } = change;
  const now = { id: member.userId, isActive: true, role: member.role };
  const owner = targetId === null ? unknownOwner : await findTarget(staff, targetId);
  // Only the transaction can count the admins.
  requireAllowed({ actor: now, target: owner, otherAdmins: 1 }, { action, isConfirmed });
  if (!staff.hasOwnRoles) return undefined;
  return {
    actorId: member.userId,
    targetId: targetId ?? member.userId,
    check: ({ actor, target, otherAdmins }) =>
      requireAllowed(
        { actor, target: targetId === null ? unknownOwner : target, otherAdmins },
        { action, removesAdmin, isConfirmed },
      ),
  };
}

/**
 * Returns the guard of a change that has no user as its target: in its transaction, the member must still have the permission.
 * `undefined` with roles of an application, which no transaction can check.
 */
export function toPermissionGuard(
  { hasOwnRoles }: Pick<StaffDeps, "hasOwnRoles">,
  { userId }: Pick<Member, "userId">,
  permission: Permission,
): Guard | undefined {
  if (!hasOwnRoles) return undefined;
  return {
    actorId: userId,
    targetId: userId,
    check: ({ actor }) => {
      const role = requireMember(actor);
      if (!isAllowed(role, permission)) throw permissionDenied(role);
    },
  };
}

/** The owner of something whose owner isn't known: as long as it can be an admin, only a confirmed admin may act on it. */
const unknownOwner: GuardedUser = Object.freeze({ id: "", isActive: true, role: "admin" });

async function findTarget(staff: StaffDeps, id: string): Promise<GuardedUser | null> {
  return staff.hasOwnRoles ? findUser(staff.deps, id) : { id, isActive: true, role: await staff.findRole(id) };
}

function requireMember(actor: GuardedUser | null) {
  if (actor === null || !actor.isActive || actor.role === null) throw notStaff();
  return actor.role;
}

/** Refuses a change that these roles don't allow. */
function requireAllowed(
  { actor, target, otherAdmins }: GuardedUsers,
  {
    action,
    removesAdmin = false,
    isConfirmed,
  }: Pick<UserChange, "action" | "removesAdmin"> & Pick<Requester, "isConfirmed">,
): void {
  const member = { userId: actor?.id ?? "", role: requireMember(actor) };
  if (target === null) throw userNotFound();
  if (!mayAct(member, target, action)) throw permissionDenied(member.role);
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
