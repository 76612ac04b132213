import type { AccessClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { Schedule } from "../../core/runtime/schedule.ts";
import { createEventStream, type EventStream } from "./event-stream.ts";

/** The streams of a node that tell pages when their session ends. */
export interface SessionStreams {
  /**
   * Opens a stream. Its events are `session`, which says whose stream it is, and `closed`, at the end.
   *
   * @throws AuthError `throttled` if the session or the node has too many. `unavailable` after `stop`. If the session is over,
   * the reason of the session's signal.
   */
  open(claims: AccessClaims): Response;
  /** Ends all streams, and opens no more. Their pages connect again, to another node. */
  stop(): void;
  /** How many streams are open. */
  readonly size: number;
}

/** The options of `createSessionStreams`. */
export interface SessionStreamsOptions {
  /** Returns a signal that aborts when the session ends, or with `gone`. */
  readonly signal: (claims: AccessClaims, gone: AbortSignal) => AbortSignal;
  /** The setting `maxSessionStreams`. */
  readonly maxStreams: number;
  readonly schedule?: Schedule;
}

/** How many streams one session may have: one for each visible tab. */
const maxPerSession = 10;

/** After how many seconds a page may try again. */
const retryAfter = 5;

/** Creates the streams of a node. */
export function createSessionStreams({
  signal: toSignal,
  maxStreams,
  schedule,
}: SessionStreamsOptions): SessionStreams {
  const open = new Set<EventStream>();
  const counts = new Map<string, number>();
  let isStopped = false;

  function count(sessionId: string, change: 1 | -1): void {
    const next = (counts.get(sessionId) ?? 0) + change;
    if (next === 0) counts.delete(sessionId);
    else counts.set(sessionId, next);
  }

  return {
    open(claims) {
      const { sessionId } = claims;
      if (isStopped) throw new AuthError("unavailable", "the node is stopping");
      if (open.size >= maxStreams || (counts.get(sessionId) ?? 0) >= maxPerSession) {
        throw new AuthError("throttled", "too many streams of session events", { retryAfter });
      }
      const gone = new AbortController();
      const signal = toSignal(claims, gone.signal);
      if (signal.aborted) throw signal.reason;
      const close = () => stream.end(toClosedEvent(signal.reason));
      const stream = createEventStream({
        onEnd() {
          open.delete(stream);
          count(sessionId, -1);
          signal.removeEventListener("abort", close);
          gone.abort();
        },
        ...(schedule === undefined ? {} : { schedule }),
      });
      open.add(stream);
      count(sessionId, 1);
      signal.addEventListener("abort", close);
      stream.send({ event: "session", data: { id: sessionId } });
      return stream.response;
    },
    stop() {
      isStopped = true;
      for (const stream of [...open]) stream.end(toClosedEvent(new AuthError("unavailable", "the node is stopping")));
    },
    get size() {
      return open.size;
    },
  };
}

function toClosedEvent(cause: unknown) {
  const { code = "unavailable", revokeReason = null } = cause instanceof AuthError ? cause : {};
  return { event: "closed", data: { code, reason: revokeReason } };
}
