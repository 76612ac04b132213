import { AuthError } from "../core/errors.ts";
import type { Authentication } from "../flows/authenticate.ts";
import { requireAllowedOrigin, requireCsrfToken, requireStatedOrigin, requireUniqueCookies } from "./cookies/checks.ts";
import { type RequestCookies, readCookies } from "./cookies/cookies.ts";
import { isSafeMethod } from "./cookies/same-origin.ts";
import type { HttpDeps } from "./endpoint.ts";
import { type HeaderSource, type RequestLike, readHeader } from "./request/headers.ts";

interface CookieCredentials {
  readonly via: "cookie";
  readonly token: string;
  readonly cookies: RequestCookies;
}

/** An access token that has not been verified yet, and how it was sent. */
export type AccessCredentials = { readonly via: "bearer"; readonly token: string } | CookieCredentials;

/** The options of `authenticateRequest`. */
export interface AuthenticateRequestOptions {
  /** The credentials that `readCredentials` returned. Default: `authenticateRequest` calls `readCredentials`. */
  readonly credentials?: AccessCredentials;
  /**
   * Checks the media type of the body. Called for an unsafe request by cookie, after the check of the origin and before the
   * check of the CSRF token.
   */
  readonly requireMediaType?: () => Promise<void>;
}

/**
 * Returns the access token of a request, from the authorization header. If that header has no token, it is taken from the
 * access cookie.
 *
 * @throws AuthError `not_authenticated` if there is no token. `bad_authorization_header` if that header is malformed.
 * `csrf_failed` if the token is in a cookie and two cookies have the same name.
 */
export function readCredentials(
  headers: HeaderSource,
  { readBearerToken, settings }: Pick<HttpDeps, "readBearerToken" | "settings">,
): AccessCredentials {
  const bearer = readBearerToken(headers);
  if (bearer !== null) return { via: "bearer", token: bearer };
  const cookies = readCookies(headers, settings);
  requireUniqueCookies(cookies);
  if (cookies.access === undefined) throw new AuthError("not_authenticated", "the request has no access token");
  return { via: "cookie", token: cookies.access, cookies };
}

/**
 * Authenticates a request. A bearer token is always enough. The access cookie alone is enough for a safe method. With any
 * other method, an allowed origin and the session's CSRF token are also required. For an upgrade by cookie, for example to
 * a WebSocket, an allowed origin is also required.
 *
 * @returns the claims, or a promise of them in the rare cases that need I/O. For an unsafe request by cookie, it is always
 * a promise.
 * @throws AuthError with the codes of `readCredentials` and of the flow `authenticate`, or `csrf_failed`.
 */
export function authenticateRequest(
  deps: HttpDeps,
  request: RequestLike,
  options?: AuthenticateRequestOptions,
): Authentication | Promise<Authentication> {
  const { authenticate } = deps.flows;
  const credentials = options?.credentials ?? readCredentials(request.headers, deps);
  if (credentials.via === "bearer") return authenticate(credentials.token);
  if (!isSafeMethod(request.method)) return authenticateUnsafe(deps, request, { ...options, credentials });
  // A WebSocket upgrade is a GET that any page may send with the user's cookies.
  if (isUpgrade(request.headers)) requireStatedOrigin(deps, request);
  return authenticate(credentials.token);
}

async function authenticateUnsafe(
  deps: HttpDeps,
  request: RequestLike,
  { credentials, requireMediaType }: AuthenticateRequestOptions & { readonly credentials: CookieCredentials },
): Promise<Authentication> {
  requireAllowedOrigin(deps, request);
  await requireMediaType?.();
  const authentication = await deps.flows.authenticate(credentials.token);
  const { csrf: cookie } = credentials.cookies;
  requireCsrfToken(deps, request.headers, { cookie, sessionIds: [authentication.sessionId] });
  return authentication;
}

/** Returns whether the request wants to change the protocol (RFC 9110 §7.8). */
function isUpgrade(headers: HeaderSource): boolean {
  return readHeader(headers, "upgrade") !== undefined;
}
