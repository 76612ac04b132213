import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";

/** What went wrong. It is never the error itself, whose text may be for the log only. */
export interface TraceError {
  /** The class of the error, such as "AuthError". */
  readonly name: string;
  /** The code of the error, such as "no_active_account", if it has one. */
  readonly code?: string;
}

/** What every message of a tracing channel has. */
export interface TraceMessage {
  /** What went wrong. Present after a failure. */
  error?: TraceError;
}

/** The message of `tokenpair:request`: one HTTP request to an endpoint. */
export interface RequestTrace extends TraceMessage {
  /** The request method. */
  readonly method: string;
  /** The endpoint's path, with names in place of ids, such as "/api/auth/sessions/{id}". */
  readonly route: string;
  /** The operation's name in the OpenAPI document. */
  readonly operation: string;
  /** The header `traceparent` of the request (W3C Trace Context), if it has one. */
  readonly traceparent: string | null;
  /** The status of the response. Present at the end. */
  status?: number;
}

/** The message of `tokenpair:login`: one login with a username and a password. */
export interface LoginTrace extends TraceMessage {
  /** The user who logged in. Present after a success. */
  userId?: string;
  /** The new session. Present after a success. */
  sessionId?: string;
}

/** The message of `tokenpair:refresh`: one refresh. */
export interface RefreshTrace extends TraceMessage {
  /** "rotated", "replayed" or another result that gave tokens. Present after a success. */
  outcome?: string;
  /** The session. Present after a success. */
  sessionId?: string;
}

/** The message of `tokenpair:hash`: one password hash, or one check of a password, with the time that it waited for a thread. */
export interface HashTrace extends TraceMessage {
  /** What is done. */
  readonly operation: "hash" | "verify";
}

/** The message of `tokenpair:store`: one call of the store: one statement, or one transaction. */
export interface StoreTrace extends TraceMessage {
  /** The database, as in OpenTelemetry's `db.system.name`. */
  readonly system: "postgresql" | "sqlite";
  /** The name of the call, such as "sessions.rotate". It contains no values. */
  readonly operation: string;
}

/** The message of `tokenpair:feed`: one read of the revocation feed. */
export interface FeedTrace extends TraceMessage {
  /** How many revocations were read. Present after a success. */
  revocations?: number;
}

/** The message of `tokenpair:revocation`: one revocation, with the time until it was confirmed. */
export interface RevocationTrace extends TraceMessage {
  /** How many live sessions were revoked. Present after a success, if sessions were revoked. */
  sessions?: number;
  /** How the revocation was confirmed. Present if a confirmation was requested. */
  confirmed?: string;
}

/** The messages of the tracing channels, by the channels' names. */
export interface TraceMessages {
  /** HTTP requests. */
  readonly "tokenpair:request": RequestTrace;
  /** Logins with a username and a password. */
  readonly "tokenpair:login": LoginTrace;
  /** Refreshes. */
  readonly "tokenpair:refresh": RefreshTrace;
  /** Password hashes. */
  readonly "tokenpair:hash": HashTrace;
  /** Calls of the store. */
  readonly "tokenpair:store": StoreTrace;
  /** Reads of the revocation feed. */
  readonly "tokenpair:feed": FeedTrace;
  /** Revocations. */
  readonly "tokenpair:revocation": RevocationTrace;
}

/** The name of a tracing channel. */
export type TraceName = keyof TraceMessages;

const names: Readonly<Record<TraceName, true>> = {
  "tokenpair:request": true,
  "tokenpair:login": true,
  "tokenpair:refresh": true,
  "tokenpair:hash": true,
  "tokenpair:store": true,
  "tokenpair:feed": true,
  "tokenpair:revocation": true,
};

/** The names of all tracing channels. */
export const traceNames: readonly TraceName[] = Object.freeze(Object.keys(names) as TraceName[]);

/**
 * The channels. Node keeps one channel for each name, so this is the same as what a subscriber gets. They are created here so that
 * no call looks one up.
 */
const channels = new Map<TraceName, TracingChannel>(traceNames.map((name) => [name, tracingChannel(name)]));

/**
 * Publishes what `work` does on a tracing channel: `start` and `end` around its synchronous part, `asyncStart` and `asyncEnd` when
 * its promise has settled, and `error` if it has failed. Without a subscriber, only calls `work`.
 *
 * @param message the message. It must contain no token, secret, password or hash.
 * @param addResult adds to the message what is known of the result.
 */
export function trace<N extends TraceName, T>(
  name: N,
  message: TraceMessages[N],
  work: () => Promise<T>,
  addResult?: (message: TraceMessages[N], result: T) => void,
): Promise<T> {
  const channel = channels.get(name);
  if (channel === undefined || !channel.hasSubscribers) return work();
  const { start, end, asyncStart, asyncEnd, error: errors } = channel;

  /** The work is done, and may be committed: what is noted about it must not make it fail. */
  function note(result: T): void {
    try {
      addResult?.(message, result);
    } catch {
      // The message lacks what could not be read.
    }
  }

  async function settle(promise: Promise<T>): Promise<T> {
    try {
      const result = await promise;
      note(result);
      return result;
    } catch (error) {
      message.error = toTraceError(error);
      errors.publish(message);
      throw error;
    } finally {
      asyncStart.publish(message);
      asyncEnd.publish(message);
    }
  }

  return start.runStores(message, () => {
    const settled = settle(work());
    end.publish(message);
    return settled;
  });
}

function toTraceError(error: unknown): TraceError {
  if (!(error instanceof Error)) return { name: typeof error };
  const { code } = error as { readonly code?: unknown };
  return { name: error.name, ...(typeof code === "string" ? { code } : {}) };
}
