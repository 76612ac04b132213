import type { AnyStarter, StartedSessionOf, StartSessionOptions } from "../../index.ts";
import { toConnection } from "../node/parts.ts";
import type { FastifyRequestLike } from "./parts.ts";

/** The part of a Fastify reply that gets cookies. */
export interface FastifyHeadersLike {
  /** Sets a header, or adds to the values of `Set-Cookie`. */
  header(name: string, value: string): unknown;
  /** Returns whether a header is set. */
  hasHeader(name: string): boolean;
}

/**
 * Returns a function that starts a session of the browser that sent a request, for a user whom you have authenticated yourself, and
 * adds the cookies to the reply. The session that the browser had is revoked.
 *
 * @example
 * const startSession = sessionStarter(auth);
 * app.get("/callback", async (request, reply) => {
 *   const userId = await findUserOfCode(request.url);
 *   await startSession(request, reply, userId, { amr: ["email"] });
 *   return reply.redirect("/");
 * });
 */
export function sessionStarter<A extends AnyStarter>(
  auth: A,
): (
  request: Pick<FastifyRequestLike, "raw">,
  reply: FastifyHeadersLike,
  userId: string,
  options?: Omit<StartSessionOptions, "connection">,
) => Promise<StartedSessionOf<A>> {
  return async ({ raw }, reply, userId, options = {}) => {
    const started = await auth.startSession(raw, userId, { ...options, connection: toConnection(raw) });
    // Fastify adds to the values of this header.
    for (const cookie of started.cookies) reply.header("Set-Cookie", cookie);
    if (!reply.hasHeader("Cache-Control")) reply.header("Cache-Control", "no-store");
    return started as StartedSessionOf<A>;
  };
}
