/**
 * The session as a store of Svelte, for Svelte 3 and newer. In a component:
 *
 *   <script lang="ts">
 *     const session = toSessionStore(client);
 *   </script>
 *   <p>{$session.user ? `Hello ${$session.user.username}` : "Please log in."}</p>
 *
 * In the `load` function of a SvelteKit page with `export const ssr = false`:
 *
 *   export async function load() {
 *     if ((await client.ready()).status === "anonymous") redirect(307, "/login");
 *   }
 */
import { type Readable, readable } from "svelte/store";
import type { Client, SessionState } from "tokenpair/client";

/** Returns the client's session. The store follows it while it has subscribers. */
export function toSessionStore<C>(client: Client<C>): Readable<SessionState<C>> {
  return readable(client.session(), (set) => {
    set(client.session());
    return client.onChange(set);
  });
}
