import type { z } from "zod";
import type { ClientInfo } from "../core/client-info.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { AuthUser } from "../core/user.ts";
import type { Tokens } from "../crypto/tokens.ts";
import type { EventListener, RateLimitedEndpoint } from "../events/events.ts";
import type { Flows } from "../flows/index.ts";
import type { ReadBearerToken } from "./request/bearer.ts";

/** What the routes work with: the flows, bound to their own dependencies, and what reads and writes HTTP. No store. */
export interface HttpDeps {
  readonly settings: Settings<AuthUser>;
  readonly flows: Flows;
  /** Verifies tokens without asking whether they were revoked. */
  readonly tokens: Pick<Tokens, "verifyAccess" | "verifyRefresh" | "verifyAny">;
  /** The HMAC key of CSRF tokens. */
  readonly csrfKey: Uint8Array;
  readonly readBearerToken: ReadBearerToken;
  readonly random: Random;
  readonly clock: Pick<Clock, "now">;
  readonly emit: EventListener;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** What proves a caller: a token in the header, or a cookie. */
export type SecurityScheme = "bearer" | "cookie" | "refreshCookie";

export type MediaType = "application/json" | "application/x-www-form-urlencoded" | "multipart/form-data";

/** How an endpoint words its refusals: as the token endpoints do, or as protected resources do. */
export type ErrorStyle = "token" | "resource";

/**
 * One endpoint. `handle` reads as an ordered list of named checks, then one flow, then the answer; a check refuses by
 * throwing an `AuthError` or a `RequestError`. All else is derived from the list of endpoints: both forms of the path,
 * OPTIONS and 405 with `Allow`, limits and parsing of the body, errors, standard headers, the OpenAPI document.
 */
export interface Endpoint<B = unknown> {
  readonly method: Method;
  /** Begins with a slash and ends without one; `{name}` stands for one segment, which `params` then holds decoded. */
  path(settings: Settings<AuthUser>): string;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly errors: ErrorStyle;
  /** Whose limit per address holds here, before anything else is looked at. Default: none. */
  readonly limit?: RateLimitedEndpoint;
  /** What proves the caller, any one of them. Default: nothing is needed. Documentation only: `handle` checks. */
  readonly security?: readonly SecurityScheme[];
  /** Request headers with a meaning here. Documentation only. */
  readonly headers?: readonly HeaderDescription[];
  readonly body?: BodyDescription<B>;
  /** By status. With a body, 400, 413 and 415 need no mention; 405 never does. */
  readonly responses: Readonly<Record<number, ResponseDescription>>;
  /** @throws AuthError, RequestError or StoreUnavailableError; the router answers them. */
  handle(context: RequestContext<B>): Promise<Response>;
}

/** What the OpenAPI document says of an endpoint. */
export type EndpointDescription = Omit<Endpoint, "errors" | "limit" | "handle">;

export interface BodyDescription<B> {
  /** An object of the fields of `fields.ts`. */
  readonly schema: z.ZodType<B>;
  readonly accepts: readonly MediaType[];
}

export interface ResponseDescription {
  readonly description: string;
  /** Headers with a meaning here; those that belong to the status are not among them. */
  readonly headers?: readonly HeaderDescription[];
  /** Without one, the response has no body. */
  readonly schema?: z.ZodType;
}

export interface HeaderDescription {
  /** By the settings, where one names the header. */
  readonly name: string | ((settings: Settings<AuthUser>) => string);
  readonly description: string;
  readonly schema: z.ZodType;
}

/** One request at its endpoint. */
export interface RequestContext<B = unknown> {
  readonly request: Request;
  readonly deps: HttpDeps;
  /** The path's `{name}` segments. */
  readonly params: Readonly<Record<string, string>>;
  readonly client: ClientInfo;
  /** @throws RequestError 413 or 415: the body, if there is one, is too large or not of an accepted media type. */
  requireMediaType(): Promise<void>;
  /** The body's fields, after the same checks. @throws RequestError as above, or 400 with what is wrong. */
  readBody(): Promise<B>;
}

/** Names the type of the body from its schema. */
export function defineEndpoint<B>(endpoint: Endpoint<B>): Endpoint {
  return Object.freeze(endpoint);
}
