import { type AuthenticationRequirement, checkRequirement } from "./authentication.ts";
import type { AccessClaims } from "./claims.ts";
import { AuthError } from "./errors.ts";
import type { Clock } from "./runtime/clock.ts";

/**
 * Requires that the user was authenticated recently enough, and by these methods. No I/O. Most requests require nothing, so nothing
 * is read for them, not even the clock.
 *
 * @throws AuthError `confirmation_required`, with the `requirement`. TypeError if the requirement makes no sense.
 */
export function requireAuthentication(
  claims: AccessClaims,
  requirement: AuthenticationRequirement | undefined,
  clock: Pick<Clock, "now">,
): void {
  if (requirement === undefined || (requirement.maxAge === undefined && requirement.amr === undefined)) return;
  checkRequirement(requirement, "requireUser");
  const { maxAge, amr = [] } = requirement;
  const isRecent = maxAge === undefined || (claims.authTime !== null && clock.now() - claims.authTime <= maxAge);
  if (isRecent && amr.every((method) => claims.amr.includes(method))) return;
  const reason = isRecent ? "another authentication method is required" : "the authentication is too old";
  throw new AuthError("confirmation_required", reason, { requirement: { maxAge, amr: requirement.amr } });
}
