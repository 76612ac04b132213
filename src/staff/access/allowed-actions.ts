import type { Role } from "../../core/role.ts";
import type { Permission, UserAction } from "../api.ts";
import { isAllowed, toRank } from "./permissions.ts";

/** A user to whom a member of the staff does something. */
export interface Target {
  readonly id: string;
  readonly role: Role | null;
}

/** The member of the staff who does it. */
export interface Actor {
  readonly userId: string;
  readonly role: Role;
}

/** The permission that each action needs. */
export const permissionOf: Readonly<Record<UserAction, Permission>> = {
  update: "users.write",
  role: "staff.write",
  disable: "users.write",
  enable: "users.write",
  unlock: "users.write",
  logout: "sessions.revoke",
  "set-password": "users.write",
  delete: "users.delete",
  "revoke-session": "sessions.revoke",
};

/** All actions. */
export const userActions = Object.keys(permissionOf) as readonly UserAction[];

/**
 * Returns whether a member of the staff may do something to a user. A member never acts on users of the same or a higher rank, so not on
 * themselves either. Admins act on other admins. Only admins change the accounts of staff.
 */
export function mayAct(actor: Actor, target: Target, action: UserAction): boolean {
  const permission = permissionOf[action];
  if (actor.userId === target.id || !isAllowed(actor.role, permission)) return false;
  if (actor.role === "admin") return true;
  if (permission === "users.write" && target.role !== null) return false;
  return toRank(actor.role) > toRank(target.role);
}

/** Returns everything that a member of the staff may do to a user. */
export function toAllowedActions(actor: Actor, target: Target): readonly UserAction[] {
  return userActions.filter((action) => mayAct(actor, target, action));
}

/** Returns whether an action needs a recent confirmation only because of its target: an admin acts on another one. */
export function isBetweenAdmins(actor: Actor, target: Target): boolean {
  return actor.role === "admin" && target.role === "admin";
}
