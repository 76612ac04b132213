import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import type { AnyRoutes } from "../../index.ts";
import { answerUnlessDotted } from "../node/paths.ts";
import { toReadableRequest } from "./body.ts";

export { cors } from "./cors.ts";
export { requirePage } from "./page.ts";
export type { AuthEnv, AuthenticatedHandler } from "./parts.ts";
export { sessionStarter } from "./session.ts";
export { requireUser } from "./user.ts";

/**
 * Returns a middleware with the endpoints of the HTTP contract. For any other path, the middleware calls `next()`.
 *
 * @example
 * app.use(authRoutes(auth));
 */
export function authRoutes(auth: AnyRoutes): MiddlewareHandler {
  return async (c, next) => {
    if (!auth.handles(c.req.path)) return next();
    const incoming = (c.env as Partial<HttpBindings> | undefined)?.incoming;
    if (incoming?.socket === undefined) return auth.fetch(await toReadableRequest(c), {});
    return answerUnlessDotted(incoming, async (connection) => auth.fetch(await toReadableRequest(c), connection));
  };
}

/**
 * Returns a middleware with the console's pages and its staff API.
 *
 * @param staff the object that `createConsole` of `tokenpair/console` returned.
 * @example
 * app.use(consoleRoutes(createConsole(auth)));
 */
export function consoleRoutes(staff: AnyRoutes): MiddlewareHandler {
  return authRoutes(staff);
}
