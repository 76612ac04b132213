import { AuthError } from "../core/errors.ts";
import { keepProcessAlive } from "../core/runtime/schedule.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { ReadSignal } from "./read-signal.ts";
import type { Runtime } from "./runtime.ts";
import type { VerifierFeed } from "./verifier-feed.ts";

/** Lets requests read, or wait for what is read in the background. */
export interface Reading {
  /** Whether everything is read at requests, and nothing in the background. */
  readonly isOnDemand: boolean;
  /** Returns whether a request must read first: only if that isn't done in the background. */
  isDue(): boolean;
  /**
   * Reads what is due, or waits half a second for what is being read, and then calls `attempt`.
   *
   * @throws what `attempt` throws.
   */
  retry<T>(attempt: () => T): Promise<T>;
  /** Returns whether tokens can be accepted. */
  isReady(): boolean;
  /** Fulfils when tokens can be accepted. @throws the reason of `signal`, or of `stop`. */
  whenReady(signal?: AbortSignal): Promise<void>;
  /** Ends everything that waits, with this error. */
  stop(reason: AuthError): void;
}

/** The options of `createReading`. */
export interface ReadingOptions {
  readonly keys: IssuerKeys;
  /** `null` if revocations aren't read. */
  readonly feed: VerifierFeed | null;
  readonly readSignal: ReadSignal;
  readonly runtime: Runtime;
}

/** How long a request waits for what is being read, in milliseconds. */
const longestWait = 500;

/** Milliseconds before another attempt to read what `whenReady` waits for. */
const pause = 1_000;

/** Creates the reading of a verifier. */
export function createReading({ keys, feed, readSignal, runtime }: ReadingOptions): Reading {
  const { clock, hasBackground } = runtime;
  const puller = feed?.puller ?? null;
  const isOnDemand = puller !== null || !hasBackground;
  let stopReason: AuthError | null = null;

  const isPullDue = () => puller !== null && !puller.isRecent();

  async function readDue(): Promise<void> {
    await Promise.all([isPullDue() ? puller?.pull() : undefined, keys.isDue() ? keys.read() : undefined]);
    // The frame may have named other keys.
    if (keys.isDue()) await keys.read();
  }

  /** Returns whether the last attempt to read has failed, so that a request needn't wait for the next one. */
  function hasJustFailed(): boolean {
    const { isConnected = true, failure = null } = feed?.status() ?? {};
    return (!isConnected && failure !== null) || keys.failure !== null;
  }

  async function retryAfterReads<T>(attempt: () => T): Promise<T> {
    const deadline = clock.monotonic() + longestWait;
    for (;;) {
      try {
        return attempt();
      } catch (error) {
        const left = deadline - clock.monotonic();
        if (!(error instanceof AuthError) || error.code !== "unavailable" || left <= 0 || hasJustFailed()) throw error;
        if (stopReason !== null || !(await readSignal.next(left))) throw error;
      }
    }
  }

  function isReady(): boolean {
    try {
      keys.current();
    } catch {
      return false;
    }
    return keys.published !== null && (feed === null || feed.isFresh());
  }

  return {
    isOnDemand,
    isDue: isPullDue,
    async retry(attempt) {
      if (!isOnDemand) return retryAfterReads(attempt);
      await readDue();
      return attempt();
    },
    isReady,
    async whenReady(signal) {
      const release = keepProcessAlive();
      try {
        for (;;) {
          signal?.throwIfAborted();
          if (isOnDemand) await readDue();
          if (stopReason !== null) throw stopReason;
          if (isReady()) return;
          await readSignal.next(isOnDemand ? pause : null, signal);
        }
      } finally {
        release();
      }
    },
    stop(reason) {
      stopReason = reason;
      readSignal.notify();
    },
  };
}
