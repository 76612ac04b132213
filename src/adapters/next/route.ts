import { checkRequirement } from "../../core/authentication.ts";
import type { AnyCheck, AuthenticationOf, AuthenticationRequirement } from "../../index.ts";
import { type AuthSource, toAuth } from "./auth.ts";
import { toRequestLike } from "./request.ts";

/**
 * Returns a function that makes a route handler of a function: it passes who sent the request as the second argument, and answers
 * requests that are not authenticated itself, as the HTTP contract says. An unsafe request by cookie needs the CSRF token, which
 * `client.fetch` adds.
 *
 * @param requirement what else the request requires, such as `{ maxAge: minutes(10) }`. Default: nothing.
 * @throws TypeError if `requirement` is wrong.
 * @example
 * export const GET = withUser(getAuth)(async (_request, { userId }) => Response.json(await ordersOf(userId)));
 */
export function withUser<A extends AnyCheck>(
  source: AuthSource<A>,
  requirement: AuthenticationRequirement = {},
): <C = unknown>(
  handle: (request: Request, authentication: AuthenticationOf<A>, context: C) => Response | Promise<Response>,
) => (request: Request, context: C) => Promise<Response> {
  checkRequirement(requirement, "withUser");
  return (handle) => async (request, context) => {
    const auth = await toAuth(source);
    const checked = await auth.check(toRequestLike(request.headers, request.method, request.url), requirement);
    if (!checked.ok) return checked.response;
    return handle(request, checked.authentication as AuthenticationOf<A>, context);
  };
}
