import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { AnyCheck, Auth, AuthenticationOf } from "../index.ts";

/**
 * The endpoints of the contract as a listener of `node:http`. It answers every request that it is given, so ask
 * `auth.handles(pathname)` first.
 *
 * @example
 * const authRoutes = toNodeListener(auth);
 * createServer((req, res) => (auth.handles(req.url ?? "/") ? authRoutes(req, res) : myApp(req, res)));
 */
export function toNodeListener(
  auth: Pick<Auth, "fetch">,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const listener = getRequestListener(
    (request, env) => auth.fetch(request, toConnection(env.incoming as IncomingMessage)),
    { overrideGlobalObjects: false },
  );
  return async (req, res) => {
    await listener(req, res);
  };
}

/**
 * Proves who sent the request. Where the answer is no, the response has been sent and `null` comes back.
 *
 * @example
 * const authenticated = requireUser(auth);
 * const user = await authenticated(req, res);
 * if (user !== null) res.end(`Hello ${user.userId}`);
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

/** Sends a Fetch API response through `node:http`. */
export async function sendResponse(response: Response, res: ServerResponse): Promise<void> {
  res.writeHead(response.status, Object.fromEntries(response.headers));
  res.end(await response.text());
}

/** The client's address as the socket has it. */
export function toConnection(incoming: IncomingMessage): { ip?: string } {
  const ip = incoming.socket.remoteAddress;
  return ip === undefined ? {} : { ip };
}
