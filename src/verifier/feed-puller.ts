import type { Clock } from "../core/runtime/clock.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { FeedConnection } from "./issuer-follower.ts";
import { toFailure } from "./request-failure.ts";

/** Reads the feed when a request needs it, for runtimes that don't work between requests. */
export interface FeedPuller extends FeedConnection {
  /** Reads what is new. Never rejects: see `failure`. */
  pull(): Promise<void>;
  /** Returns whether the last attempt is so recent that no other is necessary. */
  isRecent(): boolean;
}

/** The options of `createFeedPuller`. */
export interface FeedPullerOptions {
  readonly reader: Pick<FrameReader, "poll" | "abort">;
  /** Milliseconds. */
  readonly pullInterval: number;
  /** Whether a request may wait for what another request has begun to read. In workerd, that one may be gone before. */
  readonly isShared: boolean;
  readonly clock: Pick<Clock, "monotonic">;
  readonly onConnected: () => void;
  readonly onDisconnected: (reason: string) => void;
}

/** Creates a puller that reads nothing before `pull`. */
export function createFeedPuller(options: FeedPullerOptions): FeedPuller {
  const { reader, pullInterval, isShared, clock, onConnected, onDisconnected } = options;
  /** When the last attempt that has ended began, on the monotonic clock. */
  let triedAt = Number.NEGATIVE_INFINITY;
  /** Until when the issuer has asked to send no request, on the monotonic clock. */
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let pulling: Promise<void> | null = null;
  let isConnected = false;
  let failure: string | null = null;

  async function pullOnce(): Promise<void> {
    const startedAt = clock.monotonic();
    try {
      await reader.poll(0);
      failure = null;
    } catch (error) {
      const { message, retryAfter } = toFailure(error);
      failure = message;
      pausedUntil = Math.max(pausedUntil, clock.monotonic() + retryAfter);
      if (isConnected) onDisconnected(failure);
      isConnected = false;
    }
    triedAt = Math.max(triedAt, startedAt);
  }

  return {
    async pull() {
      if (!isShared) return pullOnce();
      pulling ??= pullOnce().finally(() => {
        pulling = null;
      });
      return pulling;
    },
    isRecent: () => clock.monotonic() < Math.max(triedAt + pullInterval, pausedUntil),
    received() {
      if (!isConnected) onConnected();
      isConnected = true;
    },
    stop() {
      reader.abort("the verifier was closed");
      isConnected = false;
    },
    get isConnected() {
      return isConnected;
    },
    get failure() {
      return failure;
    },
  };
}
