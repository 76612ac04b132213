import { AuthError } from "../core/errors.ts";
import type { CookieNameSettings } from "../core/settings/cookie-names.ts";
import type { Authentication } from "../flows/tokens/authenticate.ts";
import {
  type OriginDeps,
  requireAllowedOrigin,
  requireCsrfToken,
  requireStatedOrigin,
  requireUniqueCookies,
} from "./cookies/checks.ts";
import { type RequestCookies, readCookies } from "./cookies/cookies.ts";
import { isSafeMethod } from "./cookies/same-origin.ts";
import type { HttpDeps } from "./endpoint.ts";
import type { ReadBearerToken } from "./request/bearer.ts";
import { type HeaderSource, type RequestHead, readHeader } from "./request/headers.ts";

interface CookieCredentials {
  readonly via: "cookie";
  readonly token: string;
  readonly cookies: RequestCookies;
}

/** An access token that has not been verified yet, and how it was sent. */
export type AccessCredentials = { readonly via: "bearer"; readonly token: string } | CookieCredentials;

/** What reading the credentials of a request needs. */
export interface CredentialDeps {
  readonly readBearerToken: ReadBearerToken;
  readonly settings: CookieNameSettings;
}

/** How to authenticate a request. */
export interface AuthenticateRequestOptions {
  /** The credentials that `readCredentials` returned. Default: `authenticateRequest` calls `readCredentials`. */
  readonly credentials?: AccessCredentials;
  /**
   * Checks the media type of the body. Called for an unsafe request by cookie, after the check of the origin and before the
   * check of the CSRF token.
   */
  readonly requireMediaType?: () => Promise<void>;
  /**
   * What an unsafe request by cookie must have besides the cookie: the CSRF token, or an origin that the browser has stated.
   * Default: "token".
   */
  readonly csrf?: CsrfProof | undefined;
}

/** What shows that a page of the server's own has sent a request by cookie. */
export type CsrfProof = "token" | "stated-origin";

/**
 * Returns the access token of a request, from the authorization header. If that header has no token, it is taken from the
 * access cookie.
 *
 * @throws AuthError `not_authenticated` if there is no token. `bad_authorization_header` if that header is malformed.
 * `csrf_failed` if the token is in a cookie and two cookies have the same name.
 */
export function readCredentials(
  headers: HeaderSource,
  { readBearerToken, settings }: CredentialDeps,
): AccessCredentials {
  const bearer = readBearerToken(headers);
  if (bearer !== null) return { via: "bearer", token: bearer };
  const cookies = readCookies(headers, settings);
  requireUniqueCookies(cookies);
  if (cookies.access === undefined) throw new AuthError("not_authenticated", "the request has no access token");
  return { via: "cookie", token: cookies.access, cookies };
}

/**
 * The checks of a request before its token is verified. A bearer token needs none. The access cookie is enough for a safe method.
 * Any other method needs an allowed origin, and an upgrade, for example to a WebSocket, an origin that the browser has stated.
 *
 * @returns the cookies whose CSRF token must be checked when the token has been verified; `null` if none must.
 * @throws AuthError `csrf_failed`.
 */
export function requireOrigin(
  deps: OriginDeps,
  request: RequestHead,
  credentials: AccessCredentials,
): RequestCookies | null {
  if (credentials.via === "bearer") return null;
  if (!isSafeMethod(request.method)) {
    requireAllowedOrigin(deps, request);
    return credentials.cookies;
  }
  // A WebSocket upgrade is a GET that any page may send with the user's cookies.
  if (isUpgrade(request.headers)) requireStatedOrigin(deps, request);
  return null;
}

/**
 * Authenticates a request: `requireOrigin`, the token and, for an unsafe request by cookie, the session's CSRF token.
 *
 * @returns the claims, or a promise of them in the rare cases that need I/O. For an unsafe request by cookie, it is always
 * a promise.
 * @throws AuthError with the codes of `readCredentials` and of the flow `authenticate`, or `csrf_failed`.
 */
export function authenticateRequest(
  deps: HttpDeps,
  request: RequestHead,
  options?: AuthenticateRequestOptions,
): Authentication | Promise<Authentication> {
  if (options?.csrf === "stated-origin" && !isSafeMethod(request.method)) return authenticateStated(deps, request);
  const credentials = options?.credentials ?? readCredentials(request.headers, deps);
  const cookies = requireOrigin(deps, request, credentials);
  const { token } = credentials;
  return cookies === null
    ? deps.flows.authenticate(token)
    : authenticateUnsafe(deps, request, { ...options, token, cookies });
}

/**
 * Authenticates an unsafe request that can't carry the CSRF token: a form of the browser, or a server action. Its origin is checked
 * first, so a forged request gets nothing that refreshes or repeats it.
 */
function authenticateStated(deps: HttpDeps, request: RequestHead): Authentication | Promise<Authentication> {
  if (deps.readBearerToken(request.headers) === null) requireStatedOrigin(deps, request);
  return deps.flows.authenticate(readCredentials(request.headers, deps).token);
}

async function authenticateUnsafe(
  deps: HttpDeps,
  request: RequestHead,
  {
    token,
    cookies,
    requireMediaType,
  }: AuthenticateRequestOptions & { readonly token: string; readonly cookies: RequestCookies },
): Promise<Authentication> {
  await requireMediaType?.();
  const authentication = await deps.flows.authenticate(token);
  requireCsrfToken(deps, request.headers, { cookie: cookies.csrf, sessionIds: [authentication.sessionId] });
  return authentication;
}

/**
 * Returns whether the request asks to change the protocol (RFC 9110 §7.8). A proxy removes `Upgrade` when it calls the check
 * endpoint, but not the header that every browser sends with a WebSocket (RFC 6455 §4.1).
 */
function isUpgrade(headers: HeaderSource): boolean {
  return readHeader(headers, "upgrade") !== undefined || readHeader(headers, "sec-websocket-version") !== undefined;
}
