import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authentication } from "../index.ts";

/*
 * The parts of Fastify that we need, so that it is the application's own, in whatever version has them.
 */

export interface FastifyInstance {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: "onRequest", hook: Hook): unknown;
}

export interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly headers: IncomingMessage["headers"];
  auth: Authentication | null;
}

export interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
  code(status: number): FastifyReply;
  headers(values: Record<string, string>): FastifyReply;
  send(body: Buffer): unknown;
  /** Fulfils once the reply has been sent. */
  then(fulfilled: () => void, rejected: (error: Error) => void): void;
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

/** A hook for Fastify, which gives it `done`, and for a hook of the application's own, which awaits it. */
export type GuardHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done?: (error?: Error) => void,
) => Promise<void> | void;

/**
 * Sends a refusal, in bytes, which no serializer changes and whose length Fastify's HEAD routes know. With `isAwaited` it
 * fulfils once the reply is out: before that, whoever awaits it would go on to the handler.
 */
export async function refuse(response: Response, reply: FastifyReply, isAwaited: boolean): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  reply.code(response.status).headers(Object.fromEntries(response.headers)).send(body);
  if (isAwaited) await new Promise<void>((resolve, reject) => reply.then(resolve, reject));
}
