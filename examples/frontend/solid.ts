/**
 * The session as a signal of Solid. In a component:
 *
 *   const session = createSession(client);
 *   return <p>{session().user ? `Hello ${session().user?.username}` : "Please log in."}</p>;
 *
 * A component that reads one member is updated only when that has changed:
 *
 *   const problem = createMemo(() => session().problem);
 */
import { type Accessor, createSignal, onCleanup } from "solid-js";
import type { Client, SessionState } from "tokenpair/client";

/** Returns the client's session. The signal follows it until the owner is disposed of. */
export function createSession<C>(client: Client<C>): Accessor<SessionState<C>> {
  const [session, setSession] = createSignal(client.session());
  onCleanup(client.onChange((state) => setSession(state)));
  return session;
}
