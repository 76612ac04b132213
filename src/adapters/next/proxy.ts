import type { Auth } from "../../index.ts";
import { type AuthSource, toAuth } from "./auth.ts";
import { readLoginPath } from "./login-path.ts";
import { type Paths, toBasePath, toPathname, toPathTest } from "./paths.ts";
import { toLogin, toRefusal } from "./refusals.ts";
import { toRequestLike } from "./request.ts";

/** Which pages need what. */
export interface ProxyOptions {
  /** The pages that only logged-in users may see: paths, each with everything below it, or a function. */
  readonly protect: Paths;
  /**
   * Other pages that show who is logged in. If the access token of a browser with a session has expired, it is refreshed before the
   * page is rendered. Default: none.
   */
  readonly resume?: Paths;
  /** The path of the login page. It gets the requested page in its query, as `next`. Default: "/login". */
  readonly loginPath?: string;
}

/** The part of an `Auth` that the proxy needs. */
export type ProxyAuth = Pick<Auth, "check" | "handles" | "resume">;

/**
 * Returns the function for `proxy.ts` of Next 16, or for `middleware.ts` of Next 15 with the Node.js runtime. It lets requests of
 * logged-in users pass. A browser whose access token has expired gets a page that refreshes it and reloads. A document request
 * without a session is redirected to the login page. Any other request gets a 401.
 *
 * It decides what a browser shows. Call `requireUser` in every page, and use `action` and `withUser`, all the same: they protect the
 * data.
 *
 * @throws TypeError if a path is wrong.
 * @example
 * export default proxy(getAuth, { protect: ["/account"], loginPath: "/login" });
 */
export function proxy(
  source: AuthSource<ProxyAuth>,
  options: ProxyOptions,
): (request: Request) => Promise<Response | undefined> {
  const loginPath = readLoginPath(options, "proxy", ["protect", "resume"]);
  const { protect, resume = [] } = options;
  const [isProtected, isResumed] = [toPathTest(protect), toPathTest(resume)];
  const [login = ""] = loginPath.split("?", 1);
  return async (request) => {
    const path = toPathname(request);
    const protects = isProtected(path);
    if ((!protects && !isResumed(path)) || path.replace(/(?<=.)\/$/, "") === login) return undefined;
    const auth = await toAuth(source);
    if (auth.handles(path)) return undefined;
    // Only who sent it matters here. Actions and route handlers do the checks against forged requests.
    const checked = await auth.check(toRequestLike(request.headers, "GET", request.url));
    if (checked.ok) return undefined;
    const page = auth.resume(toRequestLike(request.headers, request.method, request.url), {
      loginPath: `${toBasePath(request)}${loginPath}`,
    });
    if (page !== null || !protects) return page ?? undefined;
    return toLogin(request, checked.response, loginPath) ?? toRefusal(request, checked.response);
  };
}
