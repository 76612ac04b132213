import type { CheckPageOptions, RequestLike, RequestOptions, ResumeOptions } from "./auth-options.ts";
import type { AuthPages } from "./auth-pages.ts";
import type { CheckResult } from "./auth-results.ts";
import { type AuthenticationRequirement, checkRequiredValues } from "./core/authentication.ts";
import { requireLoginPath } from "./core/login-path.ts";
import { requireOptions } from "./core/settings/unknown-options.ts";
import type { AuthUser } from "./core/user.ts";
import type { Authentication } from "./flows/tokens/authenticate.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import { toRequest } from "./http/request/headers.ts";
import { authenticatePage, toPageRefusal } from "./http/resume/check-page.ts";
import { resume } from "./http/resume/resume.ts";

/** The functions of `createAuth` that its part for pages uses. */
export interface PageParts {
  /** Returns what a request is answered with: development cookies have settings of their own. */
  readonly findDeps: (request: RequestLike, options?: RequestOptions) => HttpDeps;
  /** Returns the response to the refusal of a request, and reports it. */
  readonly refuse: (error: unknown, request: RequestLike, deps: HttpDeps) => Response;
  /** Returns the result for a user who is authenticated as required. @throws AuthError `confirmation_required`. */
  readonly accept: (authentication: Authentication, requirement: AuthenticationRequirement) => CheckResult<AuthUser>;
}

/** Creates the part of `Auth` for pages. */
export function createPages({ findDeps, refuse, accept }: PageParts): AuthPages<AuthUser> {
  /** Returns the request with the URL that the options name, and the rest of them. */
  function read(caller: string, source: RequestLike | Headers, options: ResumeOptions) {
    requireOptions(caller, options, ["loginPath", "method", "socket", "url"]);
    const { headers, method, url, socket } = toRequest(source, options.method);
    const request: RequestLike = { headers, method, url: options.url ?? url, socket };
    return { request, deps: findDeps(request, options), loginPath: requireLoginPath(options.loginPath, caller) };
  }

  return {
    resume: (source, options = {}) => {
      const { request, deps, loginPath } = read("resume", source, options);
      return resume(deps, request, loginPath);
    },
    checkPage: (source, options: CheckPageOptions = {}) => {
      const { maxAge, amr, ...others } = options;
      checkRequiredValues({ maxAge, amr }, "checkPage");
      const { request, deps, loginPath } = read("checkPage", source, others);
      const toRefused = (error: unknown): CheckResult<AuthUser> => {
        const refusal = refuse(error, request, deps);
        return { ok: false, response: toPageRefusal(deps, request, { refusal, loginPath }) };
      };
      try {
        const result = authenticatePage(deps, request);
        if (!(result instanceof Promise)) return accept(result, { maxAge, amr });
        return result.then((authentication) => accept(authentication, { maxAge, amr })).catch(toRefused);
      } catch (error) {
        return toRefused(error);
      }
    },
  };
}
