import { useSyncExternalStore } from "react";
import type { Client } from "./client.ts";
import { loading, type SessionState } from "./session-state.ts";

/**
 * The client's session as React state: renders again after every change. `loading` where the server renders, and so in
 * the first render of a page that the server has rendered.
 *
 * @example
 * const { status, user } = useSession(client);
 */
export function useSession(client: Client): SessionState {
  return useSyncExternalStore(client.onChange, client.session, () => loading);
}
