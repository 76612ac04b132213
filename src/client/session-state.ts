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

/** Before the server has said anything. */
export const loading: SessionState = Object.freeze({ status: "loading" });

/** Holds the current state and tells listeners of each change, once. */
export interface SessionStateHolder {
  readonly get: () => SessionState;
  readonly set: (next: SessionState) => void;
  /** The same state with this problem, or with none. */
  readonly setProblem: (problem?: Problem) => void;
  readonly onChange: (listener: (state: SessionState) => void) => () => void;
  /** Nothing changes any more, and nobody is told. */
  readonly close: () => void;
}

/** Starts with `loading`. */
export function createSessionState(): SessionStateHolder {
  let state = loading;
  let closed = false;
  const listeners = new Set<{ readonly notify: (state: SessionState) => void }>();

  function set(next: SessionState): void {
    if (closed || JSON.stringify(next) === JSON.stringify(state)) return;
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
  }

  return {
    get: () => state,
    set,
    setProblem(problem) {
      const { problem: _, ...rest } = state;
      set({ ...rest, ...(problem && { problem }) });
    },
    onChange(listener) {
      const entry = { notify: listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    close() {
      closed = true;
    },
  };
}
