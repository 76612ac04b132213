import type { AnyRoutes, RegisteredAuthentication } from "../../index.ts";
import { toNodeHandler } from "../node/index.ts";
import { type Middleware, toRawBody } from "./parts.ts";

export { sessionStarter } from "../node/session.ts";
export { cors, type Middleware } from "./parts.ts";
export { requirePage, requireUser } from "./user.ts";

declare global {
  namespace Express {
    interface Request {
      /**
       * Who sent the request. Set by `requireUser`; undefined on other routes. `Register` gives it the types of your
       * application.
       */
      auth: RegisteredAuthentication;
    }
  }
}

/**
 * Returns a middleware with the endpoints of the HTTP contract. For any other path, the middleware calls `next()`. Mount it
 * at the root and before body parsers. Otherwise, if Express can't parse the body of a request, Express itself answers the
 * request.
 *
 * @example
 * app.use(authRoutes(auth));
 */
export function authRoutes(auth: AnyRoutes): Middleware {
  const handle = toNodeHandler(auth);
  return (req, res, next) => {
    if (!auth.handles(req)) return next();
    const { body } = req as { readonly body?: unknown };
    if (req.readableEnded && body !== undefined) req.rawBody = toRawBody(body, req.headers);
    handle(req, res).catch(next);
  };
}

/**
 * Returns a middleware with the console's pages and its staff API. Mount it at the root, before body parsers.
 *
 * @param staff the object that `createConsole` of `tokenpair/console` returned.
 * @example
 * app.use(consoleRoutes(createConsole(auth)));
 */
export function consoleRoutes(staff: AnyRoutes): Middleware {
  return authRoutes(staff);
}
