import { AuthError } from "../core/errors.ts";
import type { Authentication } from "../flows/authenticate.ts";
import { requireCsrfToken, requireNamedOwnPage, requireOwnPage, requireSingleCookies } from "./cookies/checks.ts";
import { type PresentedCookies, readCookies } from "./cookies/cookies.ts";
import { isSafeMethod, type RequestHead } from "./cookies/same-origin.ts";
import type { HttpDeps } from "./endpoint.ts";
import { type HeaderSource, readHeader } from "./request/headers.ts";

/** A presented access token, not yet verified, and how it was sent. */
export type Credentials =
  | { readonly via: "bearer"; readonly token: string }
  | { readonly via: "cookie"; readonly token: string; readonly cookies: PresentedCookies };

/**
 * Reads the access token of a request: from its authorization header or, if that holds none, from its cookies.
 *
 * @throws AuthError `not_authenticated` if there is none; `bad_authorization_header`; `csrf_failed` if the token is in a
 * cookie and one of our cookies is there twice.
 */
export function readCredentials(
  headers: HeaderSource,
  { readBearerToken, settings }: Pick<HttpDeps, "readBearerToken" | "settings">,
): Credentials {
  const bearer = readBearerToken(headers);
  if (bearer !== null) return { via: "bearer", token: bearer };
  const cookies = readCookies(headers, settings);
  requireSingleCookies(cookies);
  if (cookies.access === undefined) throw new AuthError("not_authenticated", "no token was presented");
  return { via: "cookie", token: cookies.access, cookies };
}

/**
 * Authenticates a request. A bearer token is enough. The access cookie alone is enough for a safe method; any other method
 * also needs a same-origin (or trusted) page and the session's CSRF token, and an upgrade, such as to a WebSocket, needs such
 * a page. Answers at once if memory is enough, otherwise with a promise.
 *
 * @param requireMediaType checks the body where the contract checks it: after the origin and before the CSRF token.
 * @throws AuthError as `readCredentials` and the flow `authenticate`; `csrf_failed`.
 */
export function authenticateRequest(
  deps: HttpDeps,
  request: RequestHead,
  credentials: Credentials = readCredentials(request.headers, deps),
  requireMediaType?: () => Promise<void>,
): Authentication | Promise<Authentication> {
  const { authenticate } = deps.flows;
  if (credentials.via === "bearer") return authenticate(credentials.token);
  if (!isSafeMethod(request.method)) return authenticateUnsafe(deps, request, credentials, requireMediaType);
  // A WebSocket upgrade is a GET that any page may send with the user's cookies.
  if (isUpgrade(request.headers)) requireNamedOwnPage(deps, request, credentials.cookies);
  return authenticate(credentials.token);
}

async function authenticateUnsafe(
  deps: HttpDeps,
  request: RequestHead,
  { token, cookies }: Extract<Credentials, { via: "cookie" }>,
  requireMediaType: (() => Promise<void>) | undefined,
): Promise<Authentication> {
  requireOwnPage(deps, request, cookies);
  await requireMediaType?.();
  const authentication = await deps.flows.authenticate(token);
  requireCsrfToken(deps, request, cookies, [authentication.sessionId]);
  return authentication;
}

/** RFC 9110 §7.8. */
function isUpgrade(headers: HeaderSource): boolean {
  return readHeader(headers, "upgrade") !== undefined;
}
