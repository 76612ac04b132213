import type { IncomingMessage, ServerResponse } from "node:http";
import { toNodeHeaders } from "../node/parts.ts";

// Described here, so that the adapter works with whichever version of Fastify the application has.

/** The part of a Fastify application that the adapter uses. */
export interface FastifyInstanceLike {
  /** Declares a property that every request has. */
  decorateRequest(name: string, value: null): unknown;
  /** Adds a hook that runs before a request is parsed. */
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: (error?: Error) => void) => void,
  ): unknown;
}

/** The part of a Fastify request that the adapter uses. */
export interface FastifyRequestLike {
  /** Node's request. */
  readonly raw: IncomingMessage;
  /** Who sent the request. `requireUser` sets it. */
  auth: unknown;
}

/** The part of a Fastify reply that the adapter uses. */
export interface FastifyReplyLike {
  /** Node's response. */
  readonly raw: ServerResponse;
  /** Tells Fastify not to send anything. */
  hijack(): unknown;
  /** Sets the status. */
  code(status: number): FastifyReplyLike;
  /** Sets headers. */
  headers(values: Record<string, unknown>): FastifyReplyLike;
  /** Sends the body. */
  send(body: Buffer): unknown;
  /** Fulfils when the reply has been sent. */
  then(fulfilled: () => void, rejected: (error: Error) => void): void;
}

/**
 * The hook that `requireUser` returns. Fastify calls it with `done`. In your own hook, call it without `done` and await it.
 */
export type RequireUserHook = (
  request: FastifyRequestLike,
  reply: FastifyReplyLike,
  done?: (error?: Error) => void,
) => Promise<void> | void;

/**
 * Sends a refusal as bytes: serializers don't change bytes, and Fastify's HEAD routes know their length. With `isAwaited`,
 * the promise fulfils only when the reply has been sent, because a hook that awaits it would otherwise continue to the
 * handler.
 */
export async function refuse(response: Response, reply: FastifyReplyLike, isAwaited: boolean): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  reply.code(response.status).headers(toNodeHeaders(response.headers)).send(body);
  if (isAwaited) await new Promise<void>((resolve, reject) => reply.then(resolve, reject));
}
