import type { Client } from "./client.ts";

/** The global `fetch` while it is patched. */
interface PatchedFetch {
  (...request: Parameters<typeof fetch>): Promise<Response>;
  /** The `fetch` that was there before. */
  readonly unpatched?: typeof fetch;
}

/** Calls the global `fetch`. The client's own requests must not come back to the client. */
export const unpatchedFetch = (input: string | Request, init?: RequestInit): Promise<Response> => {
  const { unpatched = fetch } = fetch as PatchedFetch;
  return unpatched(input, init);
};

/**
 * Lets the global `fetch` send requests as the logged-in user, for libraries that don't take a `fetch` of their own. Requests to
 * other origins are sent as before. See `Client.fetch`.
 *
 * @param client The client that sends the requests.
 * @returns A function that restores the previous `fetch`.
 * @example
 * const restore = patchFetch(client);
 * const response = await fetch("/api/orders/");
 * restore();
 */
export function patchFetch(client: Pick<Client, "fetch">): () => void {
  const previous = fetch;
  const patched = Object.assign((...request: Parameters<typeof fetch>) => client.fetch(...request), {
    unpatched: (...request: Parameters<typeof fetch>) => previous(...request),
  });
  globalThis.fetch = patched;
  return () => {
    if (globalThis.fetch === patched) globalThis.fetch = previous;
  };
}
