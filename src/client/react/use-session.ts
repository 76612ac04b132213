import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { Client } from "../client.ts";
import { loading, type SessionState, type User } from "../session/session-state.ts";
import { useSource } from "./session-provider.ts";

/**
 * Returns the session as React state: the component renders again after every change. During server rendering, and in the
 * first render of a server-rendered page, it is the provider's `initial` state, or `loading`.
 *
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 * @param client A client of `createClient` or `createBearerClient`. Create it once, outside of the component. Default: the
 * client of the `SessionProvider`.
 * @returns The current state. A check of `status` also narrows members that were destructured.
 * @throws TypeError If there is neither a client nor a provider.
 * @example
 * function Greeting() {
 *   const { status, user } = useSession(client);
 *   return status === "authenticated" ? `Hello ${user.username}` : "Please log in.";
 * }
 */
export function useSession<C = unknown>(client?: Client<C>): SessionState<C>;
/**
 * Returns a part of the session of the `SessionProvider`: the component renders again only if this part has changed.
 *
 * @typeParam T The part.
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 * @param selector Returns the part. It should return a member of the state or something that is compared by its value, such
 * as a string: parts are compared with `Object.is`.
 * @throws TypeError If there is no provider.
 * @example
 * const isLoggedIn = useSession((state) => state.status === "authenticated");
 */
export function useSession<T, C = unknown>(selector: (state: SessionState<C>) => T): T;
/**
 * Returns a part of the session of a client.
 *
 * @typeParam T The part.
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 * @param client A client of `createClient` or `createBearerClient`.
 * @param selector Returns the part.
 * @example
 * const problem = useSession(client, (state) => state.problem);
 */
export function useSession<T, C = unknown>(client: Client<C>, selector: (state: SessionState<C>) => T): T;
export function useSession(first?: Client | Selector<unknown>, second?: Selector<unknown>): unknown {
  const [client, selector] = typeof first === "function" ? [undefined, first] : [first, second];
  return useSelection(client, selector ?? toState);
}

/**
 * Returns the user who is logged in, or `undefined`. The component renders again only if another user is logged in, or if
 * the server says something else about the user: not if there is a problem with the network.
 *
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 * @param client A client of `createClient` or `createBearerClient`. Default: the client of the `SessionProvider`.
 * @throws TypeError If there is neither a client nor a provider.
 * @example
 * const user = useUser();
 * const name = user ? user.username : "guest";
 */
export function useUser<C = unknown>(client?: Client<C>): User<C> | undefined {
  return useSelection(client, toUser, hasSameJson) as User<C> | undefined;
}

type Selector<T> = (state: SessionState) => T;

const toState: Selector<SessionState> = (state) => state;
const toUser: Selector<User | undefined> = ({ user }) => user;
const hasSameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** Returns a part of the session. As long as it is equal, it is the same object, and the component isn't rendered again. */
function useSelection<T>(
  givenClient: Client | undefined,
  select: Selector<T>,
  isEqual: (a: T, b: T) => boolean = Object.is,
): T {
  const { client, initial } = useSource(givenClient);
  const rendered = useRef<{ readonly part: T } | undefined>(undefined);
  const [getPart, getServerPart] = useMemo(() => {
    let last: { readonly state: SessionState; readonly part: T } | undefined;
    const toPart = (state: SessionState): T => {
      if (last?.state === state) return last.part;
      const part = select(state);
      const { current } = rendered;
      last = { state, part: current && isEqual(current.part, part) ? current.part : part };
      return last.part;
    };
    const toKnown = (state: SessionState) => (initial && state.status === "loading" ? initial : state);
    return [() => toPart(toKnown(client.session())), () => toPart(initial ?? loading)];
  }, [client, initial, select, isEqual]);
  const part = useSyncExternalStore(client.onChange, getPart, getServerPart);
  useEffect(() => {
    rendered.current = { part };
  }, [part]);
  return part;
}
