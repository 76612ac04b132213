import { type Role, roles } from "../core/role.ts";

/** Returns the rank of a role: 0 for no role, and a higher number for each higher role. */
export function toRank(role: Role | null): number {
  return role === null ? 0 : roles.indexOf(role) + 1;
}
