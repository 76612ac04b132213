import type { HttpBindings } from "@hono/node-server";
import type { Env, Handler, MiddlewareHandler } from "hono";
import type { BlankInput, HandlerResponse } from "hono/types";
import type { AnyCheck, Auth, AuthenticationOf, AuthUser, CheckResult } from "../index.ts";
import { toConnection } from "./node-parts.ts";

/** The `Env` of an application or route behind `requireUser`: `new Hono<AuthEnv<typeof auth>>()`. */
export interface AuthEnv<A extends AnyCheck> extends Env {
  /** What `c.get` returns. */
  Variables: {
    /** Who sent the request. */
    auth: AuthenticationOf<A>;
  };
}

/**
 * Returns a middleware with the endpoints of the HTTP contract. It passes any other path on.
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
 * Returns a middleware that passes only authenticated requests on, and sets `c.get("auth")`.
 *
 * @example
 * app.get("/api/orders", requireUser(auth), (c) => c.json(ordersOf(c.get("auth").userId)));
 */
export function requireUser<A extends AnyCheck>(auth: A): MiddlewareHandler<AuthEnv<A>>;
/**
 * Returns a handler that passes only authenticated requests to `handler`. Faster than a middleware: Hono builds no chain.
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
