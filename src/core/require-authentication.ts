import { type AuthenticationRequirement, checkRequirement } from "./authentication.ts";
import type { AccessClaims } from "./claims.ts";
import { AuthError } from "./errors.ts";

/**
 * Requires that the user was authenticated recently enough, and by these methods. No I/O.
 *
 * @param now the wall clock in whole seconds.
 * @throws AuthError `confirmation_required`, with the `requirement`. TypeError if the requirement makes no sense.
 */
export function requireAuthentication(claims: AccessClaims, requirement: AuthenticationRequirement, now: number): void {
  const { maxAge, amr = [] } = requirement;
  if (maxAge === undefined && requirement.amr === undefined) return;
  checkRequirement(requirement, "requireUser");
  const isRecent = maxAge === undefined || (claims.authTime !== null && now - claims.authTime <= maxAge);
  if (isRecent && amr.every((method) => claims.amr.includes(method))) return;
  const reason = isRecent ? "another authentication method is required" : "the authentication is too old";
  throw new AuthError("confirmation_required", reason, { requirement: { maxAge, amr: requirement.amr } });
}
