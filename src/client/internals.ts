import type { Client } from "./client.ts";
import type { Environment } from "./environment.ts";
import type { JsonCall } from "./transport/json-call.ts";

/** The key of what a client has for functions that take it. They aren't methods, so that bundlers can leave them out. */
export const internals: unique symbol = Symbol();

/** What the functions that take a client need. */
export interface Internals {
  /** Calls a `path` below the auth path as the logged-in user. */
  readonly call: JsonCall;
  /** The environment, whose `fetch` is read anew for every request. Absent while the global `fetch` is patched for this client. */
  env?: { fetch: Environment["fetch"] } | undefined;
}

/** Returns what such a function needs. */
export function internalsOf(client: Client): Internals {
  return (client as Client & { readonly [internals]: Internals })[internals];
}
