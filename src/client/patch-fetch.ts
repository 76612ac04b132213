import type { Client } from "./client.ts";
import { globalFetch } from "./environment.ts";
import { internalsOf } from "./internals.ts";

/**
 * Lets the global `fetch` send requests as the logged-in user, for libraries that don't take a `fetch` of their own.
 * Requests to other origins are sent as before, and relative URLs are resolved against the page as before. See
 * `Client.fetch`.
 *
 * It does nothing in server rendering, or if the global `fetch` is already patched for this client. If you passed the
 * option `fetch` to the client, that function must not call the global `fetch`.
 *
 * @param client The client that sends the requests.
 * @returns A function that restores the previous `fetch`, unless another library has replaced `fetch` since.
 * @example
 * const restore = patchFetch(client);
 * const response = await fetch("/api/orders/");
 * restore();
 */
export function patchFetch(client: Client): () => void {
  const inner = internalsOf(client);
  const { env } = inner;
  if (!env) return () => undefined;
  inner.env = undefined;
  const previous = globalThis.fetch;
  // Otherwise the client would send its own requests to itself, also if another library wraps the patched function.
  const isReplaced = env.fetch === globalFetch;
  if (isReplaced) env.fetch = (...request) => previous(...request);
  const patched: typeof fetch = async (input, init) => {
    const isUrl = typeof input === "string" || input instanceof URL;
    const url = new URL(isUrl ? input : input.url, globalThis.document?.baseURI);
    // A blob has the page's origin, but no server.
    return url.protocol.startsWith("http") ? client.fetch(isUrl ? url : input, init) : previous(input, init);
  };
  globalThis.fetch = patched;
  return () => {
    if (globalThis.fetch !== patched) return;
    globalThis.fetch = previous;
    if (isReplaced) env.fetch = globalFetch;
    inner.env = env;
  };
}
