import type { HttpBindings } from "@hono/node-server";
import type { Handler, MiddlewareHandler } from "hono";
import type { BlankInput, HandlerResponse } from "hono/types";
import type { AnyCheck, Auth, AuthenticationOf, AuthUser, CheckResult } from "../index.ts";
import type { AuthEnv } from "./hono-parts.ts";
import { toConnection } from "./node-parts.ts";

export { cors } from "./hono-cors.ts";
export type { AuthEnv } from "./hono-parts.ts";

/**
 * Returns a middleware with the endpoints of the HTTP contract. For any other path, the middleware calls `next()`.
 *
 * @example
 * app.use(authRoutes(auth));
 */
export function authRoutes(auth: Pick<Auth, "fetch" | "handles">): MiddlewareHandler {
  return async (c, next) => {
    if (!auth.handles(c.req.path)) return next();
    const incoming = (c.env as Partial<HttpBindings> | undefined)?.incoming;
    return auth.fetch(c.req.raw, incoming?.socket === undefined ? {} : toConnection(incoming));
  };
}

/**
 * Returns a middleware that sets `c.get("auth")` and refuses requests that are not authenticated.
 *
 * @example
 * app.get("/api/orders", requireUser(auth), (c) => c.json(ordersOf(c.get("auth").userId)));
 */
export function requireUser<A extends AnyCheck>(auth: A): MiddlewareHandler<AuthEnv<A>>;
/**
 * Returns a handler that calls `handler` only for authenticated requests. It is faster than a middleware, because Hono
 * doesn't have to build a chain.
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
  handler: Handler<AuthEnv<A>> = (_, next) => next(),
): Handler<AuthEnv<A>> {
  return (c, next) => {
    const settle = (result: CheckResult<AuthUser, object>) => {
      if (!result.ok) return result.response;
      c.set("auth", result.authentication as AuthenticationOf<A>);
      return handler(c, next);
    };
    const result = auth.check(c.req.raw, { socket: (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket });
    return "ok" in result ? settle(result) : result.then(settle);
  };
}
