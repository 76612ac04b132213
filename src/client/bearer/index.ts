import { type KeyValueStorage, toEnvironment } from "../environment.ts";
import { assembleBearerClient, type BearerClient, type BearerClientOptions } from "./bearer-client.ts";

export { patchFetch } from "../patch-fetch.ts";
export * from "../public-api.ts";
export { type AppStateSource, followAppState, type SecureStore, toSecureStorage } from "./native.ts";
export type { BearerClient, BearerClientOptions, KeyValueStorage };

/**
 * Creates a client that keeps its tokens in your storage and sends the access token in the `Authorization` header. Use it
 * for native apps and other programs without cookies. In a web page, use `createClient` from `tokenpair/client`, which
 * keeps the tokens away from scripts.
 *
 * The client immediately reads the storage and finds out whether a user is logged in. Until then, its state is `loading`.
 * Create one client for each server and keep it.
 *
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 * @param options `storage` is required. `baseUrl` is required if there is no page.
 * @throws TypeError If `storage` is missing, if `baseUrl` is missing and there is no page, or if `baseUrl` isn't a URL.
 * @example
 * const client = createBearerClient({
 *   baseUrl: "https://api.example.com",
 *   storage: {
 *     getItem: (key) => keychain.get(key),
 *     setItem: (key, value) => keychain.set(key, value),
 *     removeItem: (key) => keychain.delete(key),
 *   },
 * });
 * await client.login({ username, password });
 * const orders = await (await client.fetch("/api/orders/")).json();
 */
export function createBearerClient<C = unknown>(options: BearerClientOptions): BearerClient<C> {
  return assembleBearerClient(toEnvironment(options.fetch), options) as BearerClient<C>;
}
