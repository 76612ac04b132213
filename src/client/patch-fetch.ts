import type { Client } from "./client.ts";

/** The key of a function that a client has for `patchFetch` only. */
export const useFetch: unique symbol = Symbol();

/** A client that can be told to send its requests by another function than the global `fetch`. */
export interface Patchable {
  readonly [useFetch]: (fetch: typeof globalThis.fetch) => void;
}

/**
 * Lets the global `fetch` send requests as the logged-in user, for libraries that don't take a `fetch` of their own.
 * Requests to other origins are sent as before. Relative URLs are resolved against the page, as before. See `Client.fetch`.
 *
 * It does nothing in server rendering. If you passed the option `fetch`, that function must not call the global `fetch`.
 *
 * @param client The client that sends the requests.
 * @returns A function that restores the previous `fetch`, unless it has been replaced again meanwhile.
 * @example
 * const restore = patchFetch(client);
 * const response = await fetch("/api/orders/");
 * restore();
 */
export function patchFetch(client: Client): () => void {
  const { [useFetch]: use } = client as Client & Partial<Patchable>;
  if (!use) return () => undefined;
  const previous = globalThis.fetch;
  // The client's own requests must not come back to the client, also if another library wraps the patched function.
  use((...request) => previous(...request));
  const patched: typeof fetch = async (input, init) => {
    const target = input instanceof Request ? input : new URL(input, globalThis.document?.baseURI);
    return client.fetch(target, init);
  };
  globalThis.fetch = patched;
  return () => {
    if (globalThis.fetch === patched) globalThis.fetch = previous;
  };
}
