/**
 * What a member of the staff may do: a `viewer` reads, `support` also revokes sessions and changes users without a role, and
 * an `admin` may do everything.
 */
export type Role = "viewer" | "support" | "admin";

/** The roles, from the lowest rank to the highest. */
export const roles = Object.freeze(["viewer", "support", "admin"] as const satisfies readonly Role[]);

/** Returns whether a text is the name of a role. */
export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}
