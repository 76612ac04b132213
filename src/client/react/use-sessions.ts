import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Client } from "../client.ts";
import { ClientError } from "../client-error.ts";
import type { SessionState } from "../session/session-state.ts";
import { type SessionInfo, userSessions } from "../user-sessions.ts";
import { useSource } from "./session-provider.ts";
import { useSession } from "./use-session.ts";

/** The sessions of the logged-in user, as `useSessions` returns them. */
export interface SessionList {
  /** The sessions, newest first. `undefined` until they are loaded, and if no user is logged in. */
  readonly sessions: readonly SessionInfo[] | undefined;
  /** What the last attempt to load the sessions failed with: usually a `ClientError`. `undefined` if it didn't fail. */
  readonly error: unknown;
  /** Loads the sessions again. Failures are in `error`. */
  reload(): Promise<void>;
  /** Names a session. `null` removes the name. See `UserSessions.label`. @throws ClientError As that function does. */
  label(id: string, label: string | null): Promise<void>;
  /**
   * Revokes a session: its device is logged out. If the session has already ended, the list is loaded again. See
   * `UserSessions.revoke`.
   *
   * @throws ClientError As that function does, except if the user has no such session.
   */
  revoke(id: string): Promise<void>;
}

const toSessionId = ({ sessionId }: SessionState) => sessionId;

/** What was loaded for one session of this client. */
interface Loaded {
  readonly sessionId: string;
  readonly sessions?: readonly SessionInfo[];
  readonly error: unknown;
}

/**
 * Lists the sessions of the logged-in user, on all devices. It loads the list when the component is shown, and when another
 * user logs in.
 *
 * @param client A client of `createClient` or `createBearerClient`. Default: the client of the `SessionProvider`.
 * @throws TypeError If there is neither a client nor a provider.
 * @example
 * function Devices() {
 *   const { sessions, revoke } = useSessions();
 *   return sessions?.map(({ id, label, userAgent, current }) => (
 *     <li key={id}>
 *       {label ?? userAgent} {!current && <button onClick={() => revoke(id)}>Log out</button>}
 *     </li>
 *   ));
 * }
 */
export function useSessions(client?: Client): SessionList {
  const source = useSource(client);
  const calls = useMemo(() => userSessions(source.client), [source.client]);
  const sessionId = useSession(source.client, toSessionId);
  const [loaded, setLoaded] = useState<Loaded>();
  /** Counts what makes the response to an earlier request out of date. */
  const turn = useRef(0);

  const reload = useCallback(async () => {
    turn.current += 1;
    const ownTurn = turn.current;
    if (sessionId === undefined) return;
    let sessions: readonly SessionInfo[] | undefined;
    let error: unknown;
    try {
      sessions = await calls.list();
    } catch (reason) {
      error = reason;
    }
    if (ownTurn !== turn.current) return;
    setLoaded((before) => ({
      ...(before?.sessionId === sessionId && before),
      ...(sessions && { sessions }),
      sessionId,
      error,
    }));
  }, [calls, sessionId]);

  /** Applies what the server has confirmed. */
  const update = useCallback((change: (sessions: readonly SessionInfo[]) => readonly SessionInfo[]) => {
    setLoaded((before) => (before?.sessions ? { ...before, sessions: change(before.sessions) } : before));
  }, []);
  const label = useCallback(
    async (id: string, name: string | null) => {
      const labelled = await calls.label(id, name);
      update((sessions) => sessions.map((session) => (session.id === id ? labelled : session)));
    },
    [calls, update],
  );
  const revoke = useCallback(
    async (id: string) => {
      try {
        await calls.revoke(id);
      } catch (error) {
        // It has ended elsewhere. The server's list says whether that is so.
        if (error instanceof ClientError && error.code === "not_found") return reload();
        throw error;
      }
      update((sessions) => sessions.filter((session) => session.id !== id));
    },
    [calls, update, reload],
  );

  useEffect(() => {
    void reload();
    return () => {
      turn.current += 1;
    };
  }, [reload]);

  // What was loaded for another user isn't shown.
  const shown = loaded?.sessionId === sessionId ? loaded : undefined;
  return { sessions: shown?.sessions, error: shown?.error, reload, label, revoke };
}
