import { createContext, createElement, type ReactElement, type ReactNode, useContext, useMemo } from "react";
import type { Client } from "../client.ts";
import type { SessionState } from "../session/session-state.ts";

/** The properties of `SessionProvider`. */
export interface SessionProviderProps {
  /** A client of `createClient` or `createBearerClient`. Create it once, outside of the component. */
  readonly client: Client;
  /**
   * The state to render until the client knows the session, for pages that a server renders. Pass the same value on the
   * server and in the browser. It only says what to render: the client asks the server all the same. Default: the state
   * `loading`.
   */
  readonly initial?: SessionState | undefined;
  /** The components that use the session. */
  readonly children?: ReactNode;
}

/** The session of the components below a provider. */
export interface SessionSource {
  readonly client: Client;
  readonly initial: SessionState | undefined;
}

const SourceContext = createContext<SessionSource | undefined>(undefined);

/**
 * Provides the session of a client to `useSession`, `useUser` and `useSessions` in the components below.
 *
 * @param props The client and, in a page that a server renders, its initial state.
 * @returns The element.
 * @example
 * root.render(
 *   <SessionProvider client={client}>
 *     <App />
 *   </SessionProvider>,
 * );
 */
export function SessionProvider({ client, initial, children }: SessionProviderProps): ReactElement {
  const source = useMemo(() => ({ client, initial }), [client, initial]);
  return createElement(SourceContext.Provider, { value: source }, children);
}

/**
 * Returns the session of a client or, without one, of the provider. The initial state of a provider applies to its client
 * only.
 *
 * @throws TypeError If there is neither.
 */
export function useSource(client: Client | undefined): SessionSource {
  const source = useContext(SourceContext);
  if (client === undefined || client === source?.client) {
    if (source) return source;
    throw new TypeError("There is no <SessionProvider> above. Add one, or pass the client: useSession(client).");
  }
  return { client, initial: undefined };
}
