import type { Authentication } from "../../flows/tokens/authenticate.ts";
import { authenticateRequest } from "../credentials.ts";
import type { HttpDeps } from "../endpoint.ts";
import type { RequestHead } from "../request/headers.ts";
import { withStandardHeaders } from "../response/json.ts";
import { isLoginPage, toLoginAddress } from "./login-path.ts";
import { findNavigation } from "./navigation.ts";
import { resumeVary } from "./page.ts";
import { resume } from "./resume.ts";

/**
 * Authenticates a request for a page. It differs from `authenticateRequest` for the POST of a form, which can't have the CSRF
 * header: the browser must state its origin, and that origin decides.
 *
 * @throws AuthError with the codes of `authenticateRequest`.
 */
export function authenticatePage(deps: HttpDeps, request: RequestHead): Authentication | Promise<Authentication> {
  return authenticateRequest(deps, request, findNavigation(request) === "form" ? { csrf: "stated-origin" } : undefined);
}

/**
 * Returns what a page answers instead of a refusal: a navigation that isn't authenticated gets the page that refreshes, or a
 * redirect to the login page. Anything else is refused: a redirect that is prefetched would be shown to a user who is logged in.
 *
 * @param refusal the response of a protected resource.
 */
export function toPageRefusal(
  deps: HttpDeps,
  request: RequestHead,
  { refusal, loginPath }: { readonly refusal: Response; readonly loginPath: string },
): Response {
  if (refusal.status !== 401 || findNavigation(request) === null) return refusal;
  // A login page that is protected itself would redirect to itself, without end.
  if (isLoginPage(request, { loginPath, publicPath: deps.settings.publicPath })) return refusal;
  const Location = toLoginAddress(request, { loginPath, publicPath: deps.settings.publicPath });
  return (
    resume(deps, request, loginPath) ??
    // The browser follows with GET, whatever the method was (RFC 9110 §15.4.4).
    withStandardHeaders(new Response(null, { status: 303, headers: { Location, Vary: resumeVary } }))
  );
}
