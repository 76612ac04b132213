import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { AnyStarter, StartedSessionOf, StartSessionOptions } from "../../index.ts";
import { toConnection } from "../node/parts.ts";

/**
 * Returns a function that starts a session of the browser that sent a request, for a user whom you have authenticated yourself, and
 * adds the cookies to the response. The session that the browser had is revoked.
 *
 * @example
 * const startSession = sessionStarter(auth);
 * app.get("/callback", async (c) => {
 *   const userId = await findUserOfCode(c.req.url);
 *   await startSession(c, userId, { amr: ["email"] });
 *   return c.redirect("/");
 * });
 */
export function sessionStarter<A extends AnyStarter>(
  auth: A,
): (c: Context, userId: string, options?: Omit<StartSessionOptions, "connection">) => Promise<StartedSessionOf<A>> {
  return async (c, userId, options = {}) => {
    const incoming = (c.env as Partial<HttpBindings> | undefined)?.incoming;
    const { method, url, headers } = c.req.raw;
    const socket = incoming?.socket;
    const connection = incoming?.socket === undefined ? {} : toConnection(incoming);
    const started = await auth.startSession({ method, url, headers, socket }, userId, { ...options, connection });
    for (const cookie of started.cookies) c.header("Set-Cookie", cookie, { append: true });
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
    return started as StartedSessionOf<A>;
  };
}
