import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnyStarter, StartedSessionOf, StartSessionOptions } from "../../index.ts";
import { toConnection } from "./parts.ts";

/**
 * Returns a function that starts a session of the browser that sent a request, for a user whom you have authenticated yourself, and
 * adds the cookies to the response. The session that the browser had is revoked. Send the response afterwards.
 *
 * @example
 * const startSession = sessionStarter(auth);
 * createServer(async (req, res) => {
 *   const userId = await findUserOfCode(req.url);
 *   await startSession(req, res, userId, { amr: ["email"] });
 *   res.writeHead(303, { Location: "/" }).end();
 * });
 */
export function sessionStarter<A extends AnyStarter>(
  auth: A,
): (
  req: IncomingMessage,
  res: ServerResponse,
  userId: string,
  options?: Omit<StartSessionOptions, "connection">,
) => Promise<StartedSessionOf<A>> {
  return async (req, res, userId, options = {}) => {
    const started = await auth.startSession(req, userId, { ...options, connection: toConnection(req) });
    for (const cookie of started.cookies) res.appendHeader("Set-Cookie", cookie);
    if (!res.hasHeader("Cache-Control")) res.setHeader("Cache-Control", "no-store");
    return started as StartedSessionOf<A>;
  };
}
