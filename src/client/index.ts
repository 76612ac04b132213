import { assembleCookieClient, type ClientOptions, type CookieClient } from "./cookie/cookie-client.ts";
import { toEnvironment } from "./environment.ts";

export { patchFetch } from "./patch-fetch.ts";
export * from "./public-api.ts";
export type { ClientOptions, CookieClient };

/**
 * Creates a client for pages whose tokens are in HttpOnly cookies. It immediately asks the server whether a user is
 * logged in; until then its state is `loading`. Create one client per server and keep it.
 *
 * Without a page, as in server rendering, the state stays `loading`, and all calls reject with a `TypeError`. For
 * native apps, use `createBearerClient` of `tokenpair/client/bearer`.
 *
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 * @param options A page that the server itself serves needs none.
 * @throws TypeError If `baseUrl` isn't a URL.
 * @example
 * const client = createClient({ baseUrl: "https://api.example.com" });
 * client.onChange((state) => {
 *   render(state.status === "authenticated" ? `Hello ${state.user.username}` : "Please log in.");
 * });
 * await client.login({ username, password });
 * const orders = await (await client.fetch("/api/orders/")).json();
 */
export function createClient<C = unknown>(options: ClientOptions = {}): CookieClient<C> {
  return assembleCookieClient(toEnvironment(options.fetch), options) as CookieClient<C>;
}
