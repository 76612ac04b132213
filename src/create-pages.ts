import type { RequestLike, RequestOptions, ResumeOptions } from "./auth-options.ts";
import type { AuthPages } from "./auth-pages.ts";
import type { CheckResult } from "./auth-results.ts";
import { toLoginPath } from "./core/login-path.ts";
import { requireOptions } from "./core/settings/unknown-options.ts";
import type { AuthUser } from "./core/user.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import { toRequest } from "./http/request/headers.ts";
import { authenticatePage, toPageRefusal } from "./http/resume/check-page.ts";
import { resume } from "./http/resume/resume.ts";

/** What the part of `Auth` for pages needs. */
export interface PageParts {
  /** Returns what a request is answered with: development cookies have settings of their own. */
  readonly findDeps: (request: RequestLike, options?: RequestOptions) => HttpDeps;
  /** Returns the response to the refusal of a request, and reports it. */
  readonly refuse: (error: unknown, request: RequestLike, deps: HttpDeps) => Response;
}

/** Creates the part of `Auth` for pages. */
export function createPages({ findDeps, refuse }: PageParts): AuthPages<AuthUser> {
  /** Returns the request with the URL that the options name, and the rest of them. */
  function read(taker: string, source: RequestLike | Headers, options: ResumeOptions) {
    requireOptions(taker, options, ["loginPath", "method", "socket", "url"]);
    const { headers, method, url, socket } = toRequest(source, options.method);
    const request: RequestLike = { headers, method, url: options.url ?? url, socket };
    return { request, deps: findDeps(request, options), loginPath: toLoginPath(options.loginPath, taker) };
  }

  return {
    resume: (source, options = {}) => {
      const { request, deps, loginPath } = read("resume", source, options);
      return resume(deps, request, loginPath);
    },
    checkPage: (source, options = {}) => {
      const { request, deps, loginPath } = read("checkPage", source, options);
      const toRefused = (error: unknown): CheckResult<AuthUser> => {
        const refusal = refuse(error, request, deps);
        return { ok: false, response: toPageRefusal(deps, request, { refusal, loginPath }) };
      };
      try {
        const result = authenticatePage(deps, request);
        if (!(result instanceof Promise)) return { ok: true, authentication: result };
        return result.then((authentication) => ({ ok: true as const, authentication })).catch(toRefused);
      } catch (error) {
        return toRefused(error);
      }
    },
  };
}
