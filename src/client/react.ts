import { useSyncExternalStore } from "react";
import type { Client } from "./client.ts";
import { loading, type SessionState } from "./session/session-state.ts";

export type * from "./public-api.ts";

/**
 * Returns the client's session as React state: the component renders again after every change. During server rendering,
 * and in the first render of a server-rendered page, the state is `loading`.
 *
 * @param client A client of `createClient` or `createBearerClient`. Create it once, outside of the component.
 * @returns The current state. After a check of `status`, TypeScript narrows the other members, even if they were
 * destructured.
 * @example
 * function Greeting() {
 *   const { status, user } = useSession(client);
 *   return status === "authenticated" ? `Hello ${user.username}` : "Please log in.";
 * }
 */
export function useSession(client: Client): SessionState {
  return useSyncExternalStore(client.onChange, client.session, () => loading);
}
