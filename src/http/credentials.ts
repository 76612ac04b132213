import { AuthError } from "../core/errors.ts";
import { type Authentication, authenticate, authenticateAtOnce } from "../flows/authenticate.ts";
import { type PresentedCookies, readCookies } from "./cookies.ts";
import type { HttpDeps } from "./endpoint.ts";
import { type HeaderSource, readHeader } from "./header-source.ts";
import { isSafeMethod, type RequestHead } from "./origin.ts";
import { requireCsrfToken, requireOwnPage, requireSingleCookies } from "./request-checks.ts";

/** A presented access token, not yet verified, and how it came. */
export type PresentedCredentials =
  | { readonly via: "bearer"; readonly token: string }
  | { readonly via: "cookie"; readonly token: string; readonly cookies: PresentedCookies };

/**
 * The access token of a request: of its authorization header or, where that holds none, of its cookies.
 *
 * @throws AuthError `not_authenticated` where there is none; `bad_authorization_header`; `csrf_failed` where the token is
 * a cookie's and one of our cookies is there twice.
 */
export function readCredentials(
  headers: HeaderSource,
  { readBearerToken, settings }: Pick<HttpDeps, "readBearerToken" | "settings">,
): PresentedCredentials {
  const bearer = readBearerToken(headers);
  if (bearer !== null) return { via: "bearer", token: bearer };
  const cookies = readCookies(headers, settings);
  requireSingleCookies(cookies);
  if (cookies.access === undefined) throw new AuthError("not_authenticated", "no token was presented");
  return { via: "cookie", token: cookies.access, cookies };
}

/**
 * Proves who sent a request. A bearer token is enough; the access cookie alone is not, unless the method is a safe one:
 * the request must come from a page of our own or a trusted origin and carry its session's CSRF token. An upgrade, such as
 * to a WebSocket, must come from such a page too.
 *
 * @throws AuthError as `readCredentials` and `authenticate`; `csrf_failed`.
 */
export async function authenticateRequest(deps: HttpDeps, request: RequestHead): Promise<Authentication> {
  return authenticateRequestAtOnce(deps, request) ?? (await authenticateCaller(deps, request)).authentication;
}

/**
 * As `authenticateRequest`, without a promise: what nearly every request takes. `null` where memory is not enough, or
 * where the access cookie alone is not.
 *
 * @throws AuthError as `readCredentials` and `authenticateAtOnce`.
 */
export function authenticateRequestAtOnce(deps: HttpDeps, request: RequestHead): Authentication | null {
  const { via, token } = readCredentials(request.headers, deps);
  const isEnough = via === "bearer" || (isSafeMethod(request.method) && !isUpgrade(request.headers));
  return isEnough ? authenticateAtOnce(deps, token) : null;
}

/** Who sent a request, and how that was proved. */
export interface Caller {
  readonly authentication: Authentication;
  readonly via: PresentedCredentials["via"];
}

/** As `authenticateRequest`; `requireMediaType` is called where the contract checks the body, before the CSRF token. */
export async function authenticateCaller(
  deps: HttpDeps,
  request: RequestHead,
  requireMediaType?: () => Promise<void>,
): Promise<Caller> {
  const credentials = readCredentials(request.headers, deps);
  const { via } = credentials;
  if (via === "bearer") return { authentication: await authenticate(deps, credentials.token), via };
  if (isSafeMethod(request.method)) {
    // A WebSocket upgrade is a GET that any page may send with the user's cookies.
    if (isUpgrade(request.headers)) requireNamedOwnPage(deps, request, credentials.cookies);
    return { authentication: await authenticate(deps, credentials.token), via };
  }
  requireOwnPage(deps, request, credentials.cookies);
  await requireMediaType?.();
  const authentication = await authenticate(deps, credentials.token);
  requireCsrfToken(deps, request, credentials.cookies, [authentication.sessionId]);
  return { authentication, via };
}

/** As `requireOwnPage`, where no CSRF token decides if the browser does not say which page it was. */
function requireNamedOwnPage(deps: HttpDeps, request: RequestHead, cookies: PresentedCookies): void {
  const { headers } = request;
  if (readHeader(headers, "origin") === undefined && readHeader(headers, "sec-fetch-site") === undefined) {
    throw new AuthError("csrf_failed", "Origin checking failed.");
  }
  requireOwnPage(deps, request, cookies);
}

/** RFC 9110 §7.8. */
function isUpgrade(headers: HeaderSource): boolean {
  return readHeader(headers, "upgrade") !== undefined;
}
