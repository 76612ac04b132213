import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { AnyCors, AnyRoutes, CorsOptions } from "../../index.ts";
import { createVersionedListener } from "./listener.ts";
import { sendCors } from "./parts.ts";
import { answerUnlessDotted } from "./paths.ts";

export { sessionStarter } from "./session.ts";
export { requirePage, requireUser } from "./user.ts";

/**
 * Returns a request handler for `node:http` that serves tokenpair's endpoints. It answers any other path with a 404, so
 * check `auth.handles(req)` first. It answers a path with a "." or ".." segment with 400.
 *
 * @example
 * const handleAuth = toNodeHandler(auth);
 * createServer((req, res) => (auth.handles(req) ? handleAuth(req, res) : myApp(req, res)));
 */
export function toNodeHandler(
  auth: Pick<AnyRoutes, "fetch">,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return createVersionedListener((options) =>
    getRequestListener(
      (request, { incoming }) =>
        answerUnlessDotted(incoming as IncomingMessage, (connection) => auth.fetch(request, connection)),
      { ...options, overrideGlobalObjects: false },
    ),
  );
}

/**
 * Returns a function that answers the requests for the console's pages and its staff API, and returns whether it does.
 *
 * @param staff the object that `createConsole` of `tokenpair/console` returned.
 * @example
 * const handleConsole = consoleRoutes(createConsole(auth));
 * createServer((req, res) => handleConsole(req, res) || myApp(req, res));
 */
export function consoleRoutes(staff: AnyRoutes): (req: IncomingMessage, res: ServerResponse) => boolean {
  const handle = toNodeHandler(staff);
  return (req, res) => {
    const isOwn = staff.handles(req);
    if (isOwn) handle(req, res).catch(() => req.destroy());
    return isOwn;
  };
}

/**
 * Returns a function that lets pages of `trustedOrigins` use your own routes: call it before `requireUser`, and stop if it
 * returns true, because it has then answered a preflight.
 *
 * @example
 * const allowOrigins = cors(auth);
 * createServer((req, res) => allowOrigins(req, res) || myApp(req, res));
 */
export function cors(auth: AnyCors, options?: CorsOptions): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => sendCors(auth, req, res, options);
}
