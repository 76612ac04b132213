import type { Env, Handler, MiddlewareHandler } from "hono";
import type { BlankInput, HandlerResponse } from "hono/types";
import type { AnyCheck, Auth, AuthenticationOf, AuthUser, CheckResult } from "../index.ts";

/**
 * Middleware with the endpoints of the contract; every other path goes on.
 *
 * @example
 * app.use(authRoutes(auth));
 */
export function authRoutes(auth: Pick<Auth, "fetch" | "handles">): MiddlewareHandler {
  return async (c, next) => {
    if (!auth.handles(c.req.path)) return next();
    const ip: string | undefined = c.env?.incoming?.socket?.remoteAddress;
    return auth.fetch(c.req.raw, ip === undefined ? {} : { ip });
  };
}

interface Proven<A extends AnyCheck> extends Env {
  Variables: { auth: AuthenticationOf<A> };
}

/**
 * Middleware that lets only authenticated requests pass; the proven claims are `c.get("auth")`, with the application's
 * own types. Around a handler it does the same for that one, and spares Hono a chain, which costs more than the check.
 *
 * @example
 * app.get("/api/orders", requireUser(auth), (c) => c.json(ordersOf(c.get("auth").userId)));
 * app.get("/api/orders", requireUser(auth, (c) => c.json(ordersOf(c.get("auth").userId))));
 */
export function requireUser<A extends AnyCheck>(auth: A): MiddlewareHandler<Proven<A>>;
export function requireUser<A extends AnyCheck, R extends HandlerResponse<unknown>>(
  auth: A,
  handler: Handler<Proven<A>, string, BlankInput, R>,
): Handler<Proven<A>, string, BlankInput, R>;
export function requireUser<A extends AnyCheck>(
  auth: A,
  handler: Handler<Proven<A>> = (_, next) => next(),
): Handler<Proven<A>> {
  return (c, next) => {
    const settle = (result: CheckResult<AuthUser, object>) => {
      if (!result.ok) return result.response;
      c.set("auth", result.authentication as AuthenticationOf<A>);
      return handler(c, next);
    };
    const result = auth.check(c.req.raw);
    return "ok" in result ? settle(result) : result.then(settle);
  };
}
