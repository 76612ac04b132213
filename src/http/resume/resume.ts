import { readCookies } from "../cookies/cookies.ts";
import { isAllowedOrigin } from "../cookies/same-origin.ts";
import type { HttpDeps } from "../endpoint.ts";
import type { RequestHead } from "../request/headers.ts";
import { toChallenge } from "../response/errors.ts";
import { toLoginAddress } from "./login-path.ts";
import { findNavigation } from "./navigation.ts";
import { toResumeResponse } from "./page.ts";

/** A CSRF token that begins with `s` belongs to a session: see `createCsrfToken`. */
const sessionCsrfToken = /^s[\w-]{22}\.[\w-]{43}$/;

/**
 * Returns the page that refreshes the session at the same address, or `null` unless all of these hold: the request is a
 * navigation of a tab; it has no bearer token, and no access cookie that is accepted; and its CSRF cookie belongs to a session.
 * Whether the session is still live, only the refresh can find out. No I/O.
 *
 * @param loginPath the path of the login page.
 */
export function resume(deps: HttpDeps, request: RequestHead, loginPath: string): Response | null {
  const { settings, flows } = deps;
  const { headers } = request;
  const navigation = findNavigation(request);
  if (navigation === null || hasBearerToken(deps, request)) return null;
  // A form of another site may not send anything again.
  if (navigation === "form" && !isAllowedOrigin(request, settings)) return null;
  const { access, csrf, hasDuplicates } = readCookies(headers, settings);
  if (hasDuplicates || csrf === undefined || !sessionCsrfToken.test(csrf)) return null;
  if (access !== undefined && !flows.needsRefresh(access)) return null;
  const loginAddress = toLoginAddress(request, { loginPath, publicPath: settings.publicPath });
  const challenge = toChallenge("", settings);
  const response = toResumeResponse(settings, { navigation, csrfToken: csrf, loginPath, loginAddress, challenge });
  return request.method === "HEAD" ? new Response(null, response) : response;
}

/** Returns whether the authorization header is meant for tokenpair. A browser also sends one behind a proxy with Basic authentication. */
function hasBearerToken({ readBearerToken }: HttpDeps, { headers }: RequestHead): boolean {
  try {
    return readBearerToken(headers) !== null;
  } catch {
    return true;
  }
}
