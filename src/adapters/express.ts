import type { AnyCheck, Auth, AuthUser, CheckResult, RegisteredAuthentication } from "../index.ts";
import { type Middleware, toRawBody } from "./express-parts.ts";
import { toNodeHandler } from "./node.ts";
import { sendResponse } from "./node-parts.ts";

export { cors, type Middleware } from "./express-parts.ts";

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
export function authRoutes(auth: Pick<Auth, "fetch" | "handles">): Middleware {
  const handle = toNodeHandler(auth);
  return (req, res, next) => {
    if (!auth.handles(req)) return next();
    if (req.readableEnded && req.body !== undefined) req.rawBody = toRawBody(req.body, req.headers);
    handle(req, res).catch(next);
  };
}

/**
 * Returns a middleware that sets `req.auth` and refuses requests that are not authenticated.
 *
 * @example
 * app.get("/api/orders", requireUser(auth), (req, res) => res.json(ordersOf(req.auth.userId)));
 */
export function requireUser(auth: AnyCheck): Middleware {
  return (req, res, next) => {
    const settle = (result: CheckResult<AuthUser, object>): unknown => {
      if (!result.ok) return sendResponse(result.response, res).catch(next);
      req.auth = result.authentication;
      return next();
    };
    const result = auth.check(req);
    if ("ok" in result) settle(result);
    // Without an error, `next` would pass the request on.
    else result.then(settle, (error: unknown) => next(error ?? new Error("the check failed")));
  };
}
