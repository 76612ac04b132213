import type { z } from "zod";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import type { BodyDescription } from "../request/body.ts";

/**
 * How a caller is authenticated: by a token in the authorization header, the access cookie, the refresh cookie, or a service's
 * credential in `Authorization`, as the password of its name or alone.
 */
export type SecurityScheme = "bearer" | "cookie" | "refreshCookie" | "serviceBasic" | "serviceBearer";

/** What the OpenAPI document says about an endpoint. */
export interface EndpointDescription<B = unknown> {
  /** The request method. */
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /**
   * Returns the path. It begins with a slash and ends without one. `{name}` matches one segment, which `params` then
   * holds decoded.
   */
  path(settings: Settings<AuthUser>): string;
  /** Returns another path at which the endpoints of this path answer too, undocumented. It is a pathname of a URL, without `{}`. */
  alias?(settings: Settings<AuthUser>): string | undefined;
  /** The operation's name in the OpenAPI document. Generated clients call their functions by it, so it must not change. */
  readonly operationId: string;
  /** One line that says what the endpoint does. */
  readonly summary: string;
  /** How the caller is authenticated: by any one of these. Default: not at all. */
  readonly security?: readonly SecurityScheme[];
  /** The request headers that the endpoint reads, without those of `security`. Default: none. */
  readonly headers?: readonly HeaderDescription[];
  /** The parameters in the query that the endpoint reads. Default: none. */
  readonly query?: readonly QueryDescription[];
  /** Whether the endpoint answers every other method alike, OPTIONS too, and every path below its own. Default: false. */
  readonly isCatchAll?: true;
  /** The body that the endpoint accepts. Default: none. */
  readonly body?: BodyDescription<B>;
  /** The responses by status. 405 is added to every endpoint that doesn't answer all methods; 400, 413 and 415 to those with a body, unless listed. */
  readonly responses: Readonly<Record<number, ResponseDescription>>;
}

/** A response, in the OpenAPI document. */
export interface ResponseDescription {
  /** A sentence that says what the response means. */
  readonly description: string;
  /** The headers that are particular to this endpoint, without those that belong to the status. Default: none. */
  readonly headers?: readonly HeaderDescription[];
  /** The JSON body. Default: no body. */
  readonly schema?: z.ZodType;
  /** The media type of the JSON body. Default: "application/json". */
  readonly mediaType?: string;
  /** The media type of another form of the body, which isn't JSON. Default: there is none. */
  readonly binary?: string;
}

/** A parameter in the query, in the OpenAPI document. */
export interface QueryDescription {
  readonly name: string;
  /** A sentence that says what the parameter is for. */
  readonly description: string;
  /** The value. */
  readonly schema: z.ZodType;
  /** Whether every request needs it. Default: false. */
  readonly required?: true;
}

/** A header, in the OpenAPI document. */
export interface HeaderDescription {
  /** The name, or a function that returns it if a setting names the header. */
  readonly name: string | ((settings: Settings<AuthUser>) => string);
  /** A sentence that says what the header is for. */
  readonly description: string;
  /** The value. */
  readonly schema: z.ZodType;
  /** Whether every response has the header. Default: false. */
  readonly required?: true;
}
