import type { IncomingMessage } from "node:http";
import type { ExecutionContext } from "@nestjs/common";
import type { AuthenticationRequirement, RegisteredAuthentication } from "../../index.ts";
import type { SocketHandshake } from "./socket.ts";

/** What a route requires. */
export interface RouteRule extends AuthenticationRequirement {
  /** Whether the route also answers requests that are not authenticated, except those that get a 503. */
  readonly isPublic?: boolean;
}

/** The name of the metadata that hold a `RouteRule`. */
export const ruleKey = "tokenpair:rule";

/** Returns the rule of a handler, or else that of its class. */
export function findRule(context: ExecutionContext): RouteRule {
  const [handler, type] = [context.getHandler(), context.getClass()];
  return Reflect.getMetadata(ruleKey, handler) ?? Reflect.getMetadata(ruleKey, type) ?? {};
}

/** What holds `auth`: the request of Express or Fastify, or the socket of a gateway. */
export interface Carrier {
  /** Who sent the request, or opened the socket. `AuthGuard` sets it. */
  auth?: RegisteredAuthentication | null;
  /** Node's request, in Fastify. */
  readonly raw?: IncomingMessage;
}

/** A connection of `graphql-ws`, as the context of its operations names it. */
interface GraphqlConnection {
  readonly extra: { readonly socket: Carrier; readonly request: IncomingMessage };
  readonly connectionParams?: Readonly<Record<string, unknown>>;
}

/** The source of a request or a message, which tells `AuthGuard` who sent it. */
export interface Source {
  readonly type: "http" | "graphql" | "ws";
  readonly carrier: Carrier;
  /** How the socket was opened, if the carrier is one. */
  readonly socket?: SocketHandshake;
}

/** Returns the source of a request. @throws Error in a microservice, because its messages have no request. */
export function toSource(context: ExecutionContext): Source {
  const type: string = context.getType();
  if (type === "http") return { type, carrier: context.switchToHttp().getRequest() };
  if (type === "ws") return { type, carrier: context.switchToWs().getClient(), socket: {} };
  if (type !== "graphql") throw new Error(`AuthGuard can't authenticate messages of type ${type}.`);
  // The third argument of a resolver. Mercurius has the request in its reply.
  const found = context.getArgByIndex(2);
  const request: Carrier | GraphqlConnection | undefined = found?.req ?? found?.reply?.request;
  if (request === undefined)
    throw new Error("The context of GraphQL has no req. Add it: context: ({ req }) => ({ req })");
  if (!("extra" in request)) return { type, carrier: request };
  const { extra, connectionParams } = request;
  return { type, carrier: extra.socket, socket: { request: extra.request, token: connectionParams?.["token"] } };
}
