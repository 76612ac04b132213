import type { ClientInfo } from "../core/client-info.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { ServiceScope } from "../core/store/services.ts";
import type { AuthUser } from "../core/user.ts";
import type { Tokens } from "../crypto/tokens.ts";
import type { EventListener, RateLimitedEndpoint } from "../events/events.ts";
import type { CredentialWatch } from "../flows/credential-watch.ts";
import type { FeedReaders } from "../flows/feed-readers.ts";
import type { Flows } from "../flows/index.ts";
import type { Keys } from "../keys/keys.ts";
import type { EndpointDescription } from "./openapi/description.ts";
import type { ReadBearerToken } from "./request/bearer.ts";
import type { BodyReader } from "./request/body.ts";
import type { ErrorStyle } from "./response/errors.ts";

/**
 * Which pages of other origins a browser lets use an endpoint (Fetch §3.3, "CORS protocol"):
 *
 * - `trusted`: those of `trustedOrigins`, without cookies.
 * - `trusted_with_cookies`: those of `trustedOrigins`, with cookies. Pages of apps, such as `capacitor://localhost`, without.
 * - `any`: all pages, without cookies.
 */
export type CorsPolicy = "trusted" | "trusted_with_cookies" | "any";

/** What the routes work with: the flows, bound to their own dependencies, and what reads and writes HTTP. No store. */
export interface HttpDeps {
  readonly settings: Settings<AuthUser>;
  readonly flows: Flows;
  /** Verifies tokens without checking whether they were revoked. */
  readonly tokens: Pick<Tokens, "verifyAccess" | "verifyRefresh" | "verifyAny">;
  /** The keys of CSRF tokens. */
  readonly keys: Pick<Keys, "ready" | "current">;
  readonly readBearerToken: ReadBearerToken;
  readonly random: Random;
  /** The readers of the revocation feed. */
  readonly readers: FeedReaders;
  /** Ends the requests of services whose credentials are revoked. */
  readonly credentials: CredentialWatch;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly emit: EventListener;
}

/**
 * One endpoint. `handle` reads as an ordered list of named checks, then one flow, then the response; a check refuses by
 * throwing an `AuthError` or a `RequestError`. Everything else is derived from the list of endpoints: both forms of
 * each path, OPTIONS and 405 with `Allow`, the limits and the parsing of the body, error responses, the standard
 * headers, and the OpenAPI document.
 */
export interface Endpoint<B = unknown> extends EndpointDescription<B> {
  /** How errors are worded. */
  readonly errorStyle: ErrorStyle;
  /** The rate limit per address that is checked before anything else. Default: none. */
  readonly rateLimit?: RateLimitedEndpoint;
  /** Only services may use the endpoint, with a credential that has this scope. Checked before the body. Default: none. */
  readonly serviceScope?: ServiceScope;
  /** Whether the endpoint is answered even if the keys can't be read, because the database is away. Default: false. */
  readonly worksWithoutKeys?: true;
  /** The headers of every refusal, besides those that the refusal has. Default: none. */
  readonly refusalHeaders?: Readonly<Record<string, string>>;
  /** Which pages of other origins a browser lets use the endpoint. All endpoints of a path have the same. Default: none. */
  readonly cors?: CorsPolicy;
  /**
   * Answers a request.
   *
   * @throws AuthError, RequestError or StoreUnavailableError, which the router turns into responses.
   */
  handle(context: RequestContext<B>): Promise<Response>;
}

/** One request to an endpoint. */
export interface RequestContext<B = unknown> extends BodyReader<B> {
  readonly request: Request;
  readonly deps: HttpDeps;
  /** The segments that match `{name}` in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Who sent the request. With `serviceScope`, the actor is the service: "service/" and its name. */
  readonly client: ClientInfo;
  /** Whether the request comes directly from one of `trustedProxies`, so that its `X-Forwarded-…` headers are true. */
  readonly isFromTrustedProxy: boolean;
}

/** Returns the endpoint, frozen. Infers the type of the body from its schema. */
export function defineEndpoint<B>(endpoint: Endpoint<B>): Endpoint {
  return Object.freeze(endpoint);
}
