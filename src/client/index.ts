import type { ClientOptions, CookieClient } from "./cookie/client.ts";
import { assembleCookieClient } from "./cookie/cookie-client.ts";
import { probe, toEnvironment } from "./environment.ts";

export { patchFetch } from "./patch-fetch.ts";
export * from "./public-api.ts";
export type { ClientOptions, CookieClient };

/**
 * Creates a client for web pages whose tokens are in HttpOnly cookies. The client immediately asks the server whether a
 * user is logged in. Until the server answers, its state is `loading`. Create one client for each server and keep it.
 *
 * Without a page, as in server rendering, the state stays `loading`, and all calls reject with a `TypeError`. For native
 * apps, use `createBearerClient` from `tokenpair/client/bearer`.
 *
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 * @param options Not needed in a page that the server itself serves.
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
  const env = {
    ...toEnvironment(options.fetch),
    cookies: () => probe(() => document.cookie) ?? "",
    storage: probe(() => window.localStorage),
  };
  return assembleCookieClient(env, options) as CookieClient<C>;
}
