import { checkRequirement } from "../../core/authentication.ts";
import { checkPageOptions } from "../../core/login-path.ts";
import type {
  AnyCheck,
  AnyPageCheck,
  AuthenticationRequirement,
  AuthUser,
  CheckResult,
  PageOptions,
} from "../../index.ts";
import { type FastifyRequestLike, type RequireUserHook, refuse } from "./parts.ts";

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
  return toHook(({ raw }) => auth.check(raw, requirement));
}

/**
 * Returns a hook for routes that answer with pages. It sets `request.auth`. A browser whose access token has expired gets a page that
 * refreshes and reloads, and one without a session is redirected to `loginPath`, with the requested page as `next`.
 *
 * @throws TypeError if `loginPath` isn't a path of this origin, or the requirement makes no sense.
 * @example
 * app.get("/orders", { onRequest: requirePage(auth, { loginPath: "/login" }) }, (request, reply) =>
 *   reply.type("text/html").send(`<p>Orders of ${request.auth.userId}</p>`),
 * );
 */
export function requirePage(auth: AnyPageCheck, options: PageOptions = {}): RequireUserHook {
  checkPageOptions(options, "requirePage");
  return toHook(({ raw }) => auth.checkPage(raw, { ...options }));
}

type Result = CheckResult<AuthUser, object>;

function toHook(check: (request: FastifyRequestLike) => Result | Promise<Result>): RequireUserHook {
  return (request, reply, done) => {
    const settle = (result: Result): Promise<void> | void => {
      if (!result.ok) return refuse(result.response, reply, done === undefined);
      request.auth = result.authentication;
      return done?.();
    };
    const result = check(request);
    const settled = "ok" in result ? settle(result) : result.then(settle);
    if (done === undefined) return Promise.resolve(settled);
    // Without an error, `done` would pass the request on.
    return void settled?.catch((error) => done(error instanceof Error ? error : new Error("the check failed")));
  };
}
