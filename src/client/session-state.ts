/** Who is logged in. */
export interface User {
  readonly id: string;
  readonly username: string;
}

/** Why nobody is logged in any more. */
export type EndReason = "logged_out" | "expired" | "revoked" | "password_changed";

/** Why the session could not be confirmed or refreshed just now. It is kept, and tried again. */
export type Problem = "offline" | "timeout" | "throttled" | "unavailable";

/** One moment of the session. Immutable, and the same object until something changes. */
export interface SessionState {
  readonly status: "loading" | "authenticated" | "anonymous";
  readonly user?: User;
  readonly sessionId?: string;
  /** Only when anonymous, and only where there was a session. */
  readonly reason?: EndReason;
  readonly problem?: Problem;
}

/** Holds the current state and tells listeners of each change, once. */
export interface SessionStateHolder {
  readonly get: () => SessionState;
  readonly set: (next: SessionState) => void;
  readonly onChange: (listener: (state: SessionState) => void) => () => void;
  /** Nobody is told of anything any more. */
  readonly close: () => void;
}

/** Starts with `loading`. */
export function createSessionState(): SessionStateHolder {
  let state: SessionState = Object.freeze({ status: "loading" });
  const listeners = new Set<{ readonly notify: (state: SessionState) => void }>();
  return {
    get: () => state,
    set(next) {
      if (JSON.stringify(next) === JSON.stringify(state)) return;
      state = Object.freeze(next);
      for (const { notify } of [...listeners]) {
        try {
          notify(state);
        } catch (error) {
          // One listener's fault is reported as its own and stops neither the others nor the client.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
    onChange(listener) {
      const entry = { notify: listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    close: () => listeners.clear(),
  };
}

/** The state of a session that is alive. */
export function toAuthenticated(user: User, sessionId: string): SessionState {
  return { status: "authenticated", user: Object.freeze(user), sessionId };
}

/** `state` with a problem, or with none. */
export function withProblem({ problem: _, ...state }: SessionState, problem?: Problem): SessionState {
  return problem ? { ...state, problem } : state;
}
