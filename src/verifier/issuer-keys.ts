import { AuthError } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { VerifyingKeys } from "../crypto/keys/key-set.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import { createKnownKeys, type PublishedKeys } from "./known-keys.ts";
import { toFailure } from "./request-failure.ts";

/** The issuer's public keys, which it reads again when the feed says that they have changed, and every hour. */
export interface IssuerKeys {
  /**
   * Returns the keys. Their `find` throws `unavailable` for a key that isn't known but might be the issuer's: because no keys have
   * been read, or the feed says that there are others.
   *
   * @throws AuthError `unavailable` if the feed has named others for longer than `maxStaleness`, and they couldn't be read: one of
   * those that are known may have been retired. After `stop`, its reason.
   */
  current(): VerifyingKeys;
  /** Returns for how many milliseconds the feed has named other keys than the known ones. */
  outdatedFor(): number;
  /** Notes the version of the keys that a frame names. */
  observe(version: number): void;
  /** Reads the keys. Never rejects: see `failure`. */
  read(): Promise<void>;
  /** Returns whether the keys must be read: none are known, the feed names others, or the known ones are an hour old. */
  isDue(): boolean;
  /** Reads the keys in the background from now on. */
  start(): void;
  /** Stops reading. From then on, `current` throws the reason. */
  stop(reason: AuthError): void;
  /** The names of the keys; empty before the first read. */
  readonly kids: readonly string[];
  /** What was read last, for readers of a relay; `null` before the first read. */
  readonly published: PublishedKeys | null;
  /** Why the last read failed; `null` if it didn't. */
  readonly failure: string | null;
}

/** The options of `createIssuerKeys`. */
export interface IssuerKeysOptions {
  readonly requests: Pick<IssuerRequests, "readKeys">;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Milliseconds for which the keys may be known to be others; `null`: for ever. */
  readonly maxStaleness: number | null;
  /**
   * Returns whether the last frame, which says which keys are the newest, is recent; `null` if no frames are read: then an unknown
   * key lets the keys be read, but not often.
   */
  readonly isFeedFresh: (() => boolean) | null;
  readonly onChange: (kids: readonly string[]) => void;
  readonly onFailure: (reason: string) => void;
  /** Called after every read. */
  readonly onRead: () => void;
}

/** Milliseconds: between two reads without news, between two because of an unknown key, and for one read at most. */
const interval = 3_600_000;
const unknownKeyInterval = 10_000;
const longestRead = 5_000;

/** Milliseconds before the next read after a failure, which double; and after keys that aren't those that the feed names. */
const retry = { first: 1_000, last: 30_000 };
const repeat = 1_000;

/** Creates the keys of an issuer. Reads nothing before `start` or `read`. */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { requests, clock, schedule, maxStaleness, isFeedFresh, onChange, onFailure, onRead } = options;
  const known = createKnownKeys(clock, onUnknown);
  /** The version that the feed named when the last read began. */
  let wanted: number | null = null;
  let failure: string | null = null;
  let failures = 0;
  /** Until when the issuer has asked to send no request, on the monotonic clock. */
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let startedAt = Number.NEGATIVE_INFINITY;
  let isStarted = false;
  let stopReason: AuthError | null = null;
  let reads = 0;
  /** Whether a token has named a key that might have been added since the last read. */
  let isWanted = false;
  const loop = createLoop({ step, schedule });

  function onUnknown(): null {
    if (isFeedFresh !== null) {
      if (known.published !== null && known.newest === known.published.version && isFeedFresh()) return null;
      throw notKnown();
    }
    if (reads > 0) throw notKnown();
    const isRecent = clock.monotonic() - startedAt < unknownKeyInterval;
    if (isRecent && failure === null) return null;
    isWanted = !isRecent;
    if (isWanted && isStarted) loop.wake();
    throw notKnown();
  }

  /** @returns the milliseconds until the next read. */
  async function step(): Promise<number> {
    startedAt = clock.monotonic();
    isWanted = false;
    wanted = known.newest;
    reads += 1;
    try {
      const changed = known.store(await readWithin(longestRead));
      if (changed !== null) onChange(changed);
      failure = null;
      failures = 0;
      return known.isOutdated() ? repeat : interval;
    } catch (error) {
      const { message, retryAfter } = toFailure(error);
      failure = message;
      onFailure(failure);
      const delay = Math.min(retry.first * 2 ** failures, retry.last);
      failures = Math.min(failures + 1, 10);
      pausedUntil = clock.monotonic() + retryAfter;
      return Math.max(delay, retryAfter);
    } finally {
      reads -= 1;
      onRead();
    }
  }

  async function readWithin(ms: number): Promise<Uint8Array> {
    const controller = new AbortController();
    const timer = schedule(() => controller.abort(), ms);
    try {
      return await requests.readKeys(controller.signal);
    } finally {
      timer.cancel();
    }
  }

  return {
    outdatedFor: known.outdatedFor,
    current() {
      if (stopReason !== null) throw stopReason;
      if (maxStaleness !== null && known.outdatedFor() > maxStaleness) {
        throw new AuthError("unavailable", "the issuer's keys have changed and can't be read");
      }
      return known.verifying;
    },
    observe(version) {
      if (known.observe(version) && known.isOutdated() && isStarted) loop.wake();
    },
    read: async () => void (await step()),
    isDue() {
      const age = clock.monotonic() - startedAt;
      if (failure !== null) return age >= retry.first && clock.monotonic() >= pausedUntil;
      if (known.published === null || isWanted || age >= interval) return true;
      return known.isOutdated() && (known.newest !== wanted || age >= repeat);
    },
    start() {
      isStarted = true;
      loop.wake();
    },
    stop(reason) {
      stopReason = reason;
      void loop.stop();
    },
    get kids() {
      return known.kids;
    },
    get published() {
      return known.published;
    },
    get failure() {
      return failure;
    },
  };
}

const notKnown = () => new AuthError("unavailable", "the issuer's keys are not known");
