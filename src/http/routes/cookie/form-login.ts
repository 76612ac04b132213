import { z } from "zod";
import { AuthError, type AuthErrorCode } from "../../../core/errors.ts";
import { safeNext } from "../../../core/safe-next.ts";
import { toBrowserCsrfToken } from "../../cookies/browser-csrf.ts";
import { requireStatedOrigin } from "../../cookies/checks.ts";
import { nullIfRefused } from "../../cookies/cookie-session.ts";
import { withCookies } from "../../cookies/cookies.ts";
import { reportCsrfRefusal } from "../../cookies/csrf-report.ts";
import { readSessionCookies } from "../../cookies/refresh-cookie.ts";
import type { HttpDeps, RequestContext } from "../../endpoint.ts";
import { RequestError } from "../../request/request-error.ts";
import { toErrorResponse } from "../../response/errors.ts";

/** The fields of a login form besides those of JSON. */
export const formLoginFields = {
  csrfmiddlewaretoken: z.string().optional().meta({ description: "The CSRF token, in place of the header." }),
  next: z.string().optional().meta({ description: "The page to show after the login, of the same origin." }),
  failed: z
    .string()
    .optional()
    .meta({ description: "The page to show if the login is refused, of the same origin. Gets `error` in its query." }),
};

/** What a login form says besides the credentials. */
export interface FormLogin {
  /** Empty if the form has none: a header doesn't count in its place. */
  readonly csrfToken: string;
  /** The path of the page to show after the login. */
  readonly next: string;
  /** The path of the page to show if the login is refused; `null` if the form names none that is safe. */
  readonly failed: string | null;
}

/** Reads what a login form says besides the credentials. @throws RequestError if the body can't be read or parsed. */
export async function readFormLogin({ request, deps, readFields }: RequestContext): Promise<FormLogin> {
  const { csrfmiddlewaretoken, next, failed } = await readFields();
  const { origin } = new URL(request.url);
  return {
    csrfToken: typeof csrfmiddlewaretoken === "string" ? csrfmiddlewaretoken : "",
    next: safeNext(next, origin) ?? `${deps.settings.publicPath ?? ""}/`,
    failed: safeNext(failed, origin),
  };
}

/** Returns the answer to a login by a form that has succeeded, with the cookies of `response`. */
export function toFormSuccess(response: Response, { next }: FormLogin): Response {
  return toRedirect(next, response.headers.getSetCookie());
}

/** What a page can tell its user. Other errors are answered as those of JSON, so that the operator sees them. */
const shownCodes: readonly AuthErrorCode[] = ["no_active_account", "throttled", "csrf_failed"];

/**
 * Returns the answer to a login by a form that is refused: the page `failed`, with the error's code in its query. A browser whose CSRF
 * token can't count any more gets a new one.
 *
 * @throws the error if it is answered as to JSON: the form names no such page, or its user could do nothing about it.
 */
export function toFormRefusal(
  { request, deps, client }: RequestContext,
  error: unknown,
  { failed }: FormLogin,
): Response {
  const refusal = toRefusal(error);
  const cookies = error instanceof AuthError && error.code === "csrf_failed" ? toNewCsrfCookies(deps, request) : [];
  if (refusal === null || (failed === null && cookies.length === 0)) throw error;
  reportCsrfRefusal(deps, error, { headers: request.headers, client });
  if (failed === null) return withCookies(toErrorResponse(error as AuthError, "token", deps.settings), cookies);
  const { pathname, searchParams, hash } = new URL(failed, request.url);
  for (const [name, value] of Object.entries(refusal)) searchParams.set(name, value);
  return toRedirect(`${pathname}?${searchParams}${hash}`, cookies);
}

/**
 * Returns the cookie of a new CSRF token if the browser has one of a session that can't be known any more. A page without scripts
 * couldn't get another one, so that no login would ever succeed. None for a form of another site.
 */
function toNewCsrfCookies(deps: HttpDeps, request: Request): readonly string[] {
  const cookies = readSessionCookies(deps, request.headers);
  const isOwn = nullIfRefused(() => requireStatedOrigin(deps, request)) !== null;
  return isOwn && !cookies.hasDuplicates ? toBrowserCsrfToken(deps, cookies).cookies : [];
}

function toRefusal(error: unknown): Readonly<Record<string, string>> | null {
  if (error instanceof RequestError) return error.status === 400 ? { error: "invalid" } : null;
  if (!(error instanceof AuthError) || !shownCodes.includes(error.code)) return null;
  return { error: error.code, ...(error.retryAfter === undefined ? {} : { retry_after: String(error.retryAfter) }) };
}

/** The browser follows with GET, so that reloading the page doesn't send the password again (RFC 9110 §15.4.4). */
function toRedirect(location: string, cookies: readonly string[]): Response {
  const headers = new Headers({ Location: location });
  for (const cookie of cookies) headers.append("Set-Cookie", cookie);
  return new Response(null, { status: 303, headers });
}
