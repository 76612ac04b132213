/**
 * The user who is logged in.
 *
 * @typeParam C What the server's `publicClaims` hook returns.
 */
export interface User<C = unknown> {
  /** The user's id on the server. */
  readonly id: string;
  /** The name that the user logs in with. */
  readonly username: string;
  /** What the server's `publicClaims` hook says about the user, for example roles. `undefined` if there is no hook. */
  readonly claims?: C | undefined;
}

/**
 * Why the user is no longer logged in:
 *
 * - `logged_out`: the user logged out in this browser.
 * - `expired`: the session wasn't refreshed within the lifetime of its refresh token, or the cookies were deleted.
 * - `revoked`: the server revoked the session, for example because the user logged it out from another device.
 * - `password_changed`: the user's password was changed in another session.
 * - `refused`: the server refused to refresh the session several times in a minute, or until the refresh token expired,
 *   but didn't prove that the session has ended. Ask the user to log in again.
 */
export type LogoutReason = "logged_out" | "expired" | "revoked" | "password_changed" | "refused";

/**
 * Why the session couldn't be confirmed or refreshed. The client keeps the session and retries.
 *
 * - `offline`: there was no response.
 * - `timeout`: there was no response within the `timeout` option.
 * - `throttled`: the server answered 429. The client waits for the `Retry-After` that the server sent.
 * - `unavailable`: the response didn't come from tokenpair, or the server can't process requests at the moment.
 * - `refused`: the server refused to refresh the session, but didn't prove that the session has ended.
 * - `cookies_blocked`: the browser doesn't keep the server's cookies. Tell the user to allow them.
 * - `storage_failed`: the bearer client's `storage` failed. The session lasts only until the app ends, or the client
 *   can't read it yet.
 */
export type Problem =
  | "offline"
  | "timeout"
  | "throttled"
  | "unavailable"
  | "refused"
  | "cookies_blocked"
  | "storage_failed";

/** The state until the server has said for the first time whether a user is logged in. */
export interface LoadingState {
  /** Distinguishes this state from the others. */
  readonly status: "loading";
  /** Never present in this state. */
  readonly user?: undefined;
  /** Never present in this state. */
  readonly sessionId?: undefined;
  /** Never present in this state. */
  readonly reason?: undefined;
  /** Why the client hasn't been able to reach the server. Absent if there is no problem. */
  readonly problem?: Problem;
}

/** The state while a user is logged in. */
export interface AuthenticatedState<C = unknown> {
  /** Distinguishes this state from the others. */
  readonly status: "authenticated";
  /** The user who is logged in. */
  readonly user: User<C>;
  /** The id of the user's session on the server, as in `SessionInfo.id`. */
  readonly sessionId: string;
  /** Never present in this state. */
  readonly reason?: undefined;
  /** Why the session couldn't be refreshed. Absent if there is no problem. */
  readonly problem?: Problem;
}

/** The state while no user is logged in. */
export interface AnonymousState {
  /** Distinguishes this state from the others. */
  readonly status: "anonymous";
  /** Never present in this state. */
  readonly user?: undefined;
  /** Never present in this state. */
  readonly sessionId?: undefined;
  /** Why the user is no longer logged in. Absent if no user was logged in before. */
  readonly reason?: LogoutReason;
  /** Why the last call to `refresh()` failed. Absent if there is no problem. */
  readonly problem?: Problem;
}

/**
 * A snapshot of the session. It is immutable, and remains the same object until something changes. After a check of
 * `status`, TypeScript knows which of the other members are present, even if they were destructured.
 *
 * @example
 * const state = client.session();
 * if (state.status === "authenticated") console.log(`Hello ${state.user.username}`);
 */
export type SessionState<C = unknown> = LoadingState | AuthenticatedState<C> | AnonymousState;

/** The state of a new client. */
export const loading: LoadingState = Object.freeze({ status: "loading" });

/** Holds the current state and calls the listeners once for each change. */
export interface SessionStateHolder {
  readonly get: () => SessionState;
  readonly set: (next: SessionState) => void;
  /** Sets the problem of the current state, or removes it. */
  readonly report: (problem?: Problem) => void;
  /** Adds a listener. Returns a function that removes the listener. */
  readonly onChange: (listener: (state: SessionState) => void) => () => void;
  /** Ignores all changes from now on. */
  readonly close: () => void;
}

/**
 * Creates a holder whose state is `loading`.
 *
 * @param findProblem Returns the problem of a state that has no other.
 */
export function createSessionState(findProblem = (): Problem | undefined => undefined): SessionStateHolder {
  let state: SessionState = loading;
  let closed = false;
  const listeners = new Set<(state: SessionState) => void>();

  function set({ problem = findProblem(), ...rest }: Partial<SessionState>): void {
    const next = { ...rest, ...(problem && { problem }) } as SessionState;
    if (closed || JSON.stringify(next) === JSON.stringify(state)) return;
    state = Object.freeze(next);
    for (const notify of [...listeners]) {
      try {
        notify(state);
      } catch (error) {
        // Reported as an uncaught error: it must stop neither the other listeners nor the client.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  return {
    get: () => state,
    set,
    report: (problem) => set({ ...state, problem } as SessionState),
    onChange(listener) {
      // The same function may be added twice.
      const notify = (next: SessionState) => listener(next);
      listeners.add(notify);
      return () => void listeners.delete(notify);
    },
    close() {
      closed = true;
    },
  };
}
