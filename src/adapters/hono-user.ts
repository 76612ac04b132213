import type { HttpBindings } from "@hono/node-server";
import type { Handler, MiddlewareHandler } from "hono";
import type { BlankInput, HandlerResponse } from "hono/types";
import { checkRequirement } from "../core/authentication.ts";
import type { AnyCheck, AuthenticationOf, AuthenticationRequirement, AuthUser, CheckResult } from "../index.ts";
import type { AuthEnv } from "./hono-parts.ts";

/**
 * Returns a middleware that sets `c.get("auth")`, and refuses requests that are not authenticated, or not as `requirement` says.
 *
 * @throws TypeError if `requirement` is wrong.
 * @example
 * app.get("/api/orders", requireUser(auth), (c) => c.json(ordersOf(c.get("auth").userId)));
 * app.delete("/api/account", requireUser(auth, { maxAge: minutes(10) }), (c) => deleteAccount(c));
 */
export function requireUser<A extends AnyCheck>(
  auth: A,
  requirement?: AuthenticationRequirement,
): MiddlewareHandler<AuthEnv<A>>;
/**
 * Returns a handler that calls `handler` only for authenticated requests. Faster than a middleware: Hono builds no chain.
 *
 * @example
 * app.get("/api/orders", requireUser(auth, (c) => c.json(ordersOf(c.get("auth").userId))));
 */
export function requireUser<A extends AnyCheck, R extends HandlerResponse<unknown>>(
  auth: A,
  handler: Handler<AuthEnv<A>, string, BlankInput, R>,
): Handler<AuthEnv<A>, string, BlankInput, R>;
export function requireUser<A extends AnyCheck>(
  auth: A,
  second: Handler<AuthEnv<A>> | AuthenticationRequirement = {},
): Handler<AuthEnv<A>> {
  const isHandler = typeof second === "function";
  const handler: Handler<AuthEnv<A>> = isHandler ? second : (_, next) => next();
  const requirement = isHandler ? {} : second;
  checkRequirement(requirement, "requireUser");
  const requiresMore = Object.keys(requirement).length > 0;
  return (c, next) => {
    const settle = (result: CheckResult<AuthUser, object>) => {
      if (!result.ok) return result.response;
      c.set("auth", result.authentication as AuthenticationOf<A>);
      return handler(c, next);
    };
    const { socket } = (c.env as Partial<HttpBindings> | undefined)?.incoming ?? {};
    const result = auth.check(c.req.raw, requiresMore ? { ...requirement, socket } : { socket });
    return "ok" in result ? settle(result) : result.then(settle);
  };
}
