import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { FrameReader } from "./frame-reader.ts";
import { toFailure } from "./request-failure.ts";

/** Whether the feed can be read, and why not. */
export interface FeedConnection {
  /** Notes that a frame has come. @param isNews whether it has records that are new. */
  received(isNews: boolean): void;
  /** Stops reading for good, at once. */
  stop(): void;
  /** Whether a frame has come over the open connection, or the last request succeeded. */
  readonly isConnected: boolean;
  /** Why the last attempt failed; `null` if it didn't. */
  readonly failure: string | null;
}

/** Keeps reading the feed in the background. */
export interface IssuerFollower extends FeedConnection {
  /** Begins to read. */
  start(): void;
}

/** The options of `createIssuerFollower`. */
export interface IssuerFollowerOptions {
  readonly reader: Pick<FrameReader, "poll" | "stream" | "abort" | "isLoaded">;
  readonly mode: "stream" | "poll";
  /** Milliseconds. */
  readonly maxStaleness: number;
  readonly clock: Pick<Clock, "monotonic">;
  readonly schedule: Schedule;
  /** Returns a number from 0 to 1. */
  readonly random: () => number;
  readonly onConnected: () => void;
  readonly onDisconnected: (reason: string) => void;
}

/** Milliseconds before a request is sent again: at least, at most the first time, and at most. Less if `maxStaleness` is short. */
const pause = { least: 200, first: 1_000, most: 5_000 };

/** The longest time that the issuer holds a poll, in seconds. */
const longestWait = 25;

/** Milliseconds between two polls: after news, so that they are gathered, and after an answer that came at once without any. */
const pollPause = { news: 10, other: 250 };

/** Creates a follower that does nothing before `start`. */
export function createIssuerFollower(options: IssuerFollowerOptions): IssuerFollower {
  const { reader, mode, maxStaleness, clock, schedule, random, onConnected, onDisconnected } = options;
  const least = Math.min(pause.least, maxStaleness / 20);
  const first = Math.min(pause.first, maxStaleness / 4);
  const wait = Math.min(Math.floor(maxStaleness / 300) / 10, longestWait);
  let isConnected = false;
  let failure: string | null = null;
  let failures = 0;
  let hasNews = false;
  let isStopped = false;
  const loop = createLoop({ step, schedule });

  async function step(): Promise<number | null> {
    const startedAt = clock.monotonic();
    hasNews = false;
    try {
      if (mode === "stream") await reader.stream();
      // After a failure, the revocations are getting old: the issuer must not hold the request.
      else await reader.poll(reader.isLoaded() && failures === 0 ? wait : 0);
      failure = null;
      // The issuer closes a stream after a while; the next one may lead to another of its nodes.
      return mode === "stream" ? toPause() : toPollPause(clock.monotonic() - startedAt);
    } catch (error) {
      const { message, retryAfter } = toFailure(error);
      failure = message;
      if (isConnected && !isStopped) onDisconnected(failure);
      isConnected = false;
      const delay = retryAfter + toPause();
      failures += 1;
      return delay;
    }
  }

  /** An issuer, or a proxy, that doesn't hold polls must not be asked without a pause. */
  function toPollPause(duration: number): number {
    if (hasNews) return pollPause.news;
    return wait > 0 && duration >= wait * 500 ? 0 : Math.min(pollPause.other, maxStaleness / 4);
  }

  /** Each verifier takes another moment within the pause, so that they don't come all at once after a restart of the issuer. */
  function toPause(): number {
    const longest = Math.min(first * 2 ** failures, pause.most);
    return least + random() * (longest - least);
  }

  return {
    start: () => loop.wake(),
    received(isNews) {
      hasNews ||= isNews;
      failures = 0;
      failure = null;
      if (isConnected) return;
      isConnected = true;
      onConnected();
    },
    stop() {
      isStopped = true;
      void loop.stop();
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
