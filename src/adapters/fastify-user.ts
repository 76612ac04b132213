import { checkRequirement } from "../core/authentication.ts";
import type { AnyCheck, AuthenticationRequirement, AuthUser, CheckResult } from "../index.ts";
import { type RequireUserHook, refuse } from "./fastify-parts.ts";

/**
 * Returns a hook that sets `request.auth`, and refuses requests that are not authenticated, or not as `requirement` says. Your own
 * hook may await it.
 *
 * @throws TypeError if `requirement` is wrong.
 * @example
 * app.get("/api/orders", { onRequest: requireUser(auth) }, async (request) => ordersOf(request.auth.userId));
 * app.delete("/api/account", { onRequest: requireUser(auth, { maxAge: minutes(10) }) }, deleteAccount);
 */
export function requireUser(auth: AnyCheck, requirement: AuthenticationRequirement = {}): RequireUserHook {
  checkRequirement(requirement, "requireUser");
  return (request, reply, done) => {
    const settle = (result: CheckResult<AuthUser, object>): Promise<void> | void => {
      if (!result.ok) return refuse(result.response, reply, done === undefined);
      request.auth = result.authentication;
      return done?.();
    };
    const result = auth.check(request.raw, requirement);
    const settled = "ok" in result ? settle(result) : result.then(settle);
    if (done === undefined) return Promise.resolve(settled);
    // Without an error, `done` would pass the request on.
    return void settled?.catch((error) => done(error instanceof Error ? error : new Error("the check failed")));
  };
}
