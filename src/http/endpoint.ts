import type { ClientInfo } from "../core/client-info.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { ServiceScope } from "../core/store/services.ts";
import type { AuthUser } from "../core/user.ts";
import type { Tokens } from "../crypto/tokens/tokens.ts";
import type { EventListener, RateLimitedEndpoint } from "../events/events.ts";
import type { FeedReaders } from "../flows/feed-readers.ts";
import type { Flows } from "../flows/index.ts";
import type { CredentialWatch } from "../flows/services/credential-watch.ts";
import type { Keys } from "../keys/keys.ts";
import type { EndpointDescription } from "./openapi/description.ts";
import type { ReadBearerToken } from "./request/bearer.ts";
import type { BodyReader } from "./request/body.ts";
import type { ErrorStyle } from "./response/errors.ts";
import type { SessionStreams } from "./response/session-streams.ts";

/**
 * The pages of other origins that may use an endpoint in a browser (Fetch §3.3, "CORS protocol"):
 *
 * - `trusted`: pages from `trustedOrigins`, without cookies.
 * - `trusted_with_cookies`: pages from `trustedOrigins`, with cookies. Pages of apps, such as `capacitor://localhost`,
 *   can't use cookies.
 * - `any`: all pages, without cookies.
 */
export type CorsPolicy = "trusted" | "trusted_with_cookies" | "any";

/**
 * The dependencies of the routes: the flows, which are already bound to their own dependencies, and the parts that read and
 * write HTTP. Routes have no store.
 */
export interface HttpDeps {
  readonly settings: Settings<AuthUser>;
  readonly flows: Flows;
  /** Verifies tokens, but doesn't check whether they have been revoked. */
  readonly tokens: Pick<Tokens, "verifyAccess" | "verifyRefresh" | "verifyAny">;
  /** The node's keys, which include those of CSRF tokens. */
  readonly keys: Pick<Keys, "ready" | "current">;
  readonly readBearerToken: ReadBearerToken;
  readonly random: Random;
  /** The readers of the revocation feed. */
  readonly readers: FeedReaders;
  /** The streams that tell pages when their session ends. */
  readonly sessionStreams: SessionStreams;
  /** Ends the requests of services whose credentials are revoked. */
  readonly credentials: CredentialWatch;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly emit: EventListener;
}

/**
 * An endpoint. `handle` is an ordered list of named checks, then one flow, then the response. A check refuses a request by
 * throwing an `AuthError` or a `RequestError`. Everything else is derived from the list of endpoints: both forms of each
 * path, OPTIONS and 405 with `Allow`, the rate limits, the parsing of the body, error responses, the standard headers, and
 * the OpenAPI document.
 */
export interface Endpoint<B = unknown> extends EndpointDescription<B> {
  /** How the endpoint words its errors. */
  readonly errorStyle: ErrorStyle;
  /** The rate limit per address. It is checked before anything else. Default: none. */
  readonly rateLimit?: RateLimitedEndpoint;
  /**
   * The scope that a service's credential must have. If it is set, only services may use the endpoint. It is checked before
   * the body is read. Default: none.
   */
  readonly serviceScope?: ServiceScope;
  /** Whether the endpoint also answers if the keys can't be read because the database is unavailable. Default: false. */
  readonly worksWithoutKeys?: true;
  /** The headers of every refusal, besides those that the refusal has. Default: none. */
  readonly refusalHeaders?: Readonly<Record<string, string>>;
  /** Which pages of other origins a browser lets use the endpoint. All endpoints of a path have the same. Default: none. */
  readonly cors?: CorsPolicy;
  /**
   * Answers a request.
   *
   * @throws AuthError, RequestError or StoreUnavailableError. The router turns them into responses.
   */
  handle(context: RequestContext<B>): Promise<Response>;
}

/** A request to an endpoint. */
export interface RequestContext<B = unknown> extends BodyReader<B> {
  readonly request: Request;
  readonly deps: HttpDeps;
  /** The decoded segments that match `{name}` in the path. */
  readonly params: Readonly<Record<string, string>>;
  /** Who sent the request. With `serviceScope`, the actor is "service/" followed by the service's name. */
  readonly client: ClientInfo;
  /** Whether the request comes directly from one of `trustedProxies`, so that its `X-Forwarded-…` headers are true. */
  readonly isFromTrustedProxy: boolean;
}

/** Returns the endpoint, frozen. Infers the type of the body from the schema. */
export function defineEndpoint<B>(endpoint: Endpoint<B>): Endpoint {
  return Object.freeze(endpoint);
}
