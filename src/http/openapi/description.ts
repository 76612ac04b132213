import type { z } from "zod";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import type { BodyDescription } from "../request/body.ts";

/**
 * How a caller is authenticated: by a token in the authorization header, by the access cookie, by the refresh cookie, or by
 * a service's credential in `Authorization`. The credential is sent either alone, or as a password together with the
 * service's name.
 */
export type SecurityScheme = "bearer" | "cookie" | "refreshCookie" | "serviceBasic" | "serviceBearer";

/** The description of an endpoint in the OpenAPI document. */
export interface EndpointDescription<B = unknown> {
  /** The request method. */
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /**
   * Returns the path. It begins with a slash and doesn't end with one. `{name}` matches one segment, and `params` contains
   * the decoded segment.
   */
  path(settings: Settings<AuthUser>): string;
  /**
   * Returns another path at which the endpoints of this path also answer. This path is not documented. It is the pathname
   * of a URL, without `{}`.
   */
  alias?(settings: Settings<AuthUser>): string | undefined;
  /**
   * The operation's name in the OpenAPI document. Generated clients use it as the name of a function, so it must not
   * change.
   */
  readonly operationId: string;
  /** A description of the endpoint in one line. */
  readonly summary: string;
  /** What else a caller must know, in Markdown. Default: nothing. */
  readonly description?: string;
  /** The ways in which the caller can be authenticated. One of them is enough. Default: no authentication. */
  readonly security?: readonly SecurityScheme[];
  /** The request headers that the endpoint reads, except those in `security`. Default: none. */
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

/** The description of a response in the OpenAPI document. */
export interface ResponseDescription {
  /** A sentence that explains the response. */
  readonly description: string;
  /** The headers that only this endpoint sends, without those that all responses with this status have. Default: none. */
  readonly headers?: readonly HeaderDescription[];
  /** The schema of the JSON body. Default: no body. */
  readonly schema?: z.ZodType;
  /** The media type of the JSON body. Default: "application/json". */
  readonly mediaType?: string;
  /** The media types of other forms of the body, which aren't JSON. Default: there are none. */
  readonly binary?: string | readonly string[];
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
  /** The header's name. If a setting contains the name, a function that returns it. */
  readonly name: string | ((settings: Settings<AuthUser>) => string);
  /** A sentence that explains the header. */
  readonly description: string;
  /** The schema of the header's value. */
  readonly schema: z.ZodType;
  /** Whether every response has the header. Default: false. */
  readonly required?: true;
}
