import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { AnyCheck, AnyCors, Auth, AuthenticationOf, CorsOptions } from "../index.ts";
import { createVersionedListener } from "./node-listener.ts";
import { sendCors, sendResponse, toConnection } from "./node-parts.ts";

/**
 * Returns a request handler for `node:http` that serves tokenpair's endpoints. It answers any other path with a 404, so
 * check `auth.handles(req)` first.
 *
 * @example
 * const handleAuth = toNodeHandler(auth);
 * createServer((req, res) => (auth.handles(req) ? handleAuth(req, res) : myApp(req, res)));
 */
export function toNodeHandler(auth: Pick<Auth, "fetch">): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return createVersionedListener((options) =>
    getRequestListener((request, { incoming }) => auth.fetch(request, toConnection(incoming as IncomingMessage)), {
      ...options,
      overrideGlobalObjects: false,
    }),
  );
}

/**
 * Returns a function that authenticates a request. If the request is refused, the function sends the response and returns
 * `null`.
 *
 * @example
 * const authenticate = requireUser(auth);
 * createServer(async (req, res) => {
 *   const authentication = await authenticate(req, res);
 *   if (authentication !== null) res.end(`Hello ${authentication.userId}`);
 * });
 */
export function requireUser<A extends AnyCheck>(
  auth: A,
): (req: IncomingMessage, res: ServerResponse) => Promise<AuthenticationOf<A> | null> {
  return async (req, res) => {
    const result = await auth.check(req);
    if (result.ok) return result.authentication as AuthenticationOf<A>;
    await sendResponse(result.response, res);
    return null;
  };
}

/**
 * Returns a function that allows pages from `trustedOrigins` to use your own routes. Call it before `requireUser`. If it
 * returns true, it has answered a preflight, so don't handle the request any further.
 *
 * @example
 * const allowOrigins = cors(auth);
 * createServer((req, res) => allowOrigins(req, res) || myApp(req, res));
 */
export function cors(auth: AnyCors, options?: CorsOptions): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => sendCors(auth, req, res, options);
}
