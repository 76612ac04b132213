import type { AccessClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Settings } from "../core/settings/settings.ts";
import { requireRepeatedCsrfToken, requireStatedOrigin } from "../http/cookies/checks.ts";
import { readCredentials, requireOrigin } from "../http/credentials.ts";
import { createBearerReader } from "../http/request/bearer.ts";
import type { RequestHead } from "../http/request/headers.ts";

/** The settings that the checks of a request need. */
type RequestSettings = Pick<
  Settings,
  | "authHeaderName"
  | "authHeaderTypes"
  | "accessCookieName"
  | "refreshCookieName"
  | "csrfCookieName"
  | "deviceCookieName"
  | "csrfHeaderName"
  | "insecureCookies"
  | "trustedOrigins"
>;

/**
 * Returns the claims of a request's token after the checks that a request by cookie needs. As the issuer's, except for the CSRF
 * token: its key isn't known here. Its cookie has a `__Host-` name, which no other host can set, and the header must repeat it; that
 * it was made for this session, only the issuer can check.
 *
 * @throws AuthError as `readCredentials` and `verify`; `csrf_failed`.
 */
export type AuthenticateRequest = (request: RequestHead, verify: (token: string) => AccessClaims) => AccessClaims;

/** Creates the checks of requests. */
export function createRequestChecks(settings: RequestSettings): AuthenticateRequest {
  const deps = { settings, readBearerToken: createBearerReader(settings) };
  const isHostCookie = /^__Host-/i.test(settings.csrfCookieName) && !settings.insecureCookies;

  return (request, verify) => {
    const credentials = readCredentials(request.headers, deps);
    const cookies = requireOrigin(deps, request, credentials);
    // Any host of the site may have set the cookie: then the browser must say where the request comes from.
    if (cookies !== null && !isHostCookie) requireStatedOrigin(deps, request);
    const claims = verify(credentials.token);
    if (cookies !== null) {
      const token = requireRepeatedCsrfToken(settings, request.headers, { cookie: cookies.csrf });
      if (!token.startsWith("s")) throw new AuthError("csrf_failed", "CSRF token does not belong to this session.");
    }
    return claims;
  };
}
