import { type Role, roles } from "../../core/role.ts";
import type { Permission } from "../api.ts";

/** The lowest role with each permission. */
const leastRole: Readonly<Record<Permission, Role>> = {
  read: "viewer",
  "users.write": "support",
  "sessions.revoke": "support",
  "users.delete": "admin",
  "sessions.revoke-many": "admin",
  "audit.export": "admin",
  "staff.write": "admin",
  "keys.write": "admin",
};

/** Returns whether a role has a permission. */
export function isAllowed(role: Role | null, permission: Permission): boolean {
  return toRank(role) >= toRank(leastRole[permission]);
}

/** Returns all permissions of a role. */
export function toPermissions(role: Role): readonly Permission[] {
  return (Object.keys(leastRole) as Permission[]).filter((permission) => isAllowed(role, permission));
}

/** Returns the rank of a role: 0 for no role, and a higher number for each higher role. */
export function toRank(role: Role | null): number {
  return role === null ? 0 : roles.indexOf(role) + 1;
}
