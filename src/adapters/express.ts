import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnyCheck, Auth, Authentication, AuthUser, CheckResult } from "../index.ts";
import { sendResponse, toNodeListener } from "./node.ts";

declare global {
  namespace Express {
    interface Request {
      auth?: Authentication;
    }
  }
}

type ExpressRequest = IncomingMessage & { auth?: Authentication; body?: unknown; rawBody?: Buffer };
type Middleware = (req: ExpressRequest, res: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Middleware with the endpoints of the contract; every other path goes on. Mount it at the root, best before any body
 * parser: behind one it works too, but what that parser cannot read is answered by Express.
 *
 * @example
 * app.use(authRoutes(auth));
 */
export function authRoutes(auth: Pick<Auth, "fetch" | "handles">): Middleware {
  const listener = toNodeListener(auth);
  return (req, res, next) => {
    if (!auth.handles(req)) return next();
    if (req.readableEnded && req.body !== undefined) req.rawBody = toRawBody(req);
    listener(req, res).catch(next);
  };
}

/**
 * Middleware that lets only authenticated requests pass and puts the proven claims on `req.auth`; claims of your own get
 * their types back with `req.auth as AuthenticationOf<typeof auth>`.
 *
 * @example
 * app.get("/api/orders", requireUser(auth), (req, res) => res.json(ordersOf(req.auth?.userId)));
 */
export function requireUser(auth: AnyCheck): Middleware {
  return (req, res, next) => {
    const settle = (result: CheckResult<AuthUser, object>): unknown => {
      if (!result.ok) return sendResponse(result.response, res).catch(next);
      req.auth = result.authentication as Authentication;
      return next();
    };
    const result = auth.check(req);
    if ("ok" in result) settle(result);
    // Without an error, `next` would let the request pass.
    else result.then(settle, (error: unknown) => next(error ?? new Error("the check failed")));
  };
}

/** What a body parser has made of the body, as bytes again. */
function toRawBody({ body, headers }: ExpressRequest): Buffer {
  const isForm = headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  return Buffer.from(isForm ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body));
}
