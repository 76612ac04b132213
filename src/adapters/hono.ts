import type { MiddlewareHandler } from "hono";
import type { Auth, AuthenticationOf, Gate } from "../index.ts";

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

/**
 * Middleware that lets only authenticated requests pass; the proven claims are `c.get("auth")`, with the application's
 * own types.
 *
 * @example
 * app.get("/api/orders", requireUser(auth), (c) => c.json(ordersOf(c.get("auth").userId)));
 */
export function requireUser<A extends Gate>(auth: A): MiddlewareHandler<{ Variables: { auth: AuthenticationOf<A> } }> {
  return async (c, next) => {
    const admission = await auth.admit(c.req.raw.headers, { method: c.req.method });
    if (!admission.admitted) return admission.response;
    c.set("auth", admission.authentication as AuthenticationOf<A>);
    return next();
  };
}
