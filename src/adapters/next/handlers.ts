import type { Auth } from "../../index.ts";
import { type AuthSource, toAuth } from "./auth.ts";
import { type FindAddress, findAddress, toOwnRequest } from "./request.ts";

/** Options of `handlers`. */
export interface HandlersOptions {
  /**
   * Returns the address of the client, or of the last proxy, from the headers of a request. Default: on Vercel,
   * `x-vercel-forwarded-for`; elsewhere the last entry of `X-Forwarded-For`.
   */
  readonly address?: FindAddress;
}

/** A route handler of Next. */
export type RouteHandler = (request: Request) => Promise<Response>;

/** The route handlers of tokenpair's endpoints. */
export type Handlers = Readonly<Record<"GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS", RouteHandler>>;

/**
 * Returns the route handlers with the endpoints of the HTTP contract, for `app/api/[...tokenpair]/route.ts`. Your own routes below
 * `app/api` have priority.
 *
 * @example
 * export const { GET, HEAD, POST, PATCH, DELETE, OPTIONS } = handlers(getAuth);
 */
export function handlers(
  auth: AuthSource<Pick<Auth, "fetch">>,
  { address = findAddress }: HandlersOptions = {},
): Handlers {
  const handle: RouteHandler = async (request) => (await toAuth(auth)).fetch(...toOwnRequest(request, address));
  return { GET: handle, HEAD: handle, POST: handle, PUT: handle, PATCH: handle, DELETE: handle, OPTIONS: handle };
}
