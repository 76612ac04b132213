import { type AuthenticationRequirement, checkRequiredValues } from "./authentication.ts";
import type { AccessClaims } from "./claims.ts";
import { AuthError } from "./errors.ts";
import type { Clock } from "./runtime/clock.ts";
import { refuseUnknownOptions } from "./settings/unknown-options.ts";

/**
 * Requires that the user was authenticated recently enough, and by these methods. No I/O. Most requests require nothing, so nothing
 * is read for them, not even the clock.
 *
 * @throws AuthError `confirmation_required`, with the `requirement`; `impersonated` if an actor acts for the user and anything is required.
 * @throws TypeError if the requirement makes no sense.
 */
export function requireAuthentication(
  claims: AccessClaims,
  requirement: AuthenticationRequirement | undefined,
  clock: Pick<Clock, "now">,
): void {
  if (requirement === undefined) return;
  if (requirement.maxAge === undefined && requirement.amr === undefined) {
    refuseMisspelt(requirement);
    return;
  }
  checkRequiredValues(requirement, "requireUser");
  if (claims.actor !== null) throw new AuthError("impersonated", "an actor hasn't been authenticated as the user");
  const { maxAge, amr = [] } = requirement;
  const isRecent = maxAge === undefined || (claims.authTime !== null && clock.now() - claims.authTime <= maxAge);
  if (isRecent && amr.every((method) => claims.amr.includes(method))) return;
  const reason = isRecent ? "another authentication method is required" : "the authentication is too old";
  throw new AuthError("confirmation_required", reason, { requirement: { maxAge, amr: requirement.amr } });
}

/** The options of a request that requires something, or nothing. */
const optionNames = ["method", "socket", "csrf", "maxAge", "amr"];

/**
 * Refuses options whose requirement is misspelt: it would require nothing. Other objects, such as a request of Node, have names
 * of their own.
 *
 * @throws TypeError that names the option.
 */
function refuseMisspelt(options: AuthenticationRequirement): void {
  for (const name in options) {
    if (optionNames.includes(name) || Object.getPrototypeOf(options) !== Object.prototype) continue;
    refuseUnknownOptions("authenticate", options, optionNames);
  }
}
