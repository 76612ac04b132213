import { createHash } from "node:crypto";
import { AuthError } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { createLoop } from "../core/runtime/loop.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { createVerifyingKeys, type VerifyingKeys } from "../crypto/keys/key-set.ts";
import { parseJwks } from "../crypto/keys/parse-jwks.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import { RequestFailure, toFailure } from "./request-failure.ts";

/** The issuer's public keys, which it reads again when the feed says that they have changed, and every hour. */
export interface IssuerKeys {
  /**
   * Returns the keys. Their `find` throws `unavailable` for a key that isn't known but might be the issuer's: because no keys have
   * been read, or the feed says that there are others.
   *
   * @throws AuthError `unavailable` if the feed has named others for longer than `maxStaleness`, and they couldn't be read: one of
   * those that are known may have been retired.
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
  /** Stops reading. */
  stop(): void;
  /** The names of the keys; empty before the first read. */
  readonly kids: readonly string[];
  /** What was read last, for readers of a relay; `null` before the first read. */
  readonly published: PublishedKeys | null;
  /** Whether keys have been read. */
  readonly isLoaded: boolean;
  /** Why the last read failed; `null` if it didn't. */
  readonly failure: string | null;
}

/** A JWK Set as the issuer publishes it. */
export interface PublishedKeys {
  readonly body: Uint8Array;
  /** The first 4 bytes of SHA-256 of the body. */
  readonly version: number;
}

/** What the keys need. */
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

/** The keys that were read. */
interface Loaded extends PublishedKeys {
  readonly keys: VerifyingKeys;
  readonly kids: readonly string[];
  readonly hash: string;
}

/** Creates the keys of an issuer. Reads nothing before `start` or `read`. */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { requests, clock, schedule, maxStaleness, isFeedFresh, onChange, onFailure, onRead } = options;
  const none = createVerifyingKeys([], onUnknown);
  let loaded: Loaded | null = null;
  let newest: number | null = null;
  /** What was the newest when the last read began. */
  let wanted: number | null = null;
  /** Since when the feed has named other keys than the known ones, on the monotonic clock; `null` if it doesn't. */
  let differsSince: number | null = null;
  let failure: string | null = null;
  let failures = 0;
  /** Until when the issuer has asked to send no request, on the monotonic clock. */
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let startedAt = Number.NEGATIVE_INFINITY;
  let isStarted = false;
  let reads = 0;
  /** Whether a token has named a key that might have been added since the last read. */
  let isWanted = false;
  const loop = createLoop({ step, schedule });

  const isOther = () => newest !== null && newest !== loaded?.version;

  function onUnknown(): null {
    if (isFeedFresh !== null) {
      if (loaded !== null && newest === loaded.version && isFeedFresh()) return null;
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
    wanted = newest;
    reads += 1;
    try {
      take(await readWithin(longestRead));
      failure = null;
      failures = 0;
      return isOther() ? repeat : interval;
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

  function take(body: Uint8Array): void {
    const digest = createHash("sha256").update(body).digest();
    const hash = digest.toString("hex");
    // The same keys stay the same object: the verified tokens stay known.
    if (loaded?.hash === hash) return;
    const list = parse(body);
    if (list.length === 0) throw new RequestFailure("the issuer publishes no key that can be used");
    const version = digest.readUInt32BE(0);
    // It comes from a node that is behind, or its feed is: the next frame tells.
    if (loaded !== null && loaded.version === newest && version !== newest) return;
    const kids = list.map(({ kid }) => kid);
    loaded = { keys: createVerifyingKeys(list, onUnknown), kids, body, version, hash };
    noteDifference();
    onChange(kids);
  }

  /** Notes since when the feed has named other keys. Until they are read, that time continues, also if it names yet others. */
  function noteDifference(): void {
    if (!isOther()) differsSince = null;
    else if (loaded !== null) differsSince ??= clock.monotonic();
  }

  const outdatedFor = () => (differsSince === null ? 0 : clock.monotonic() - differsSince);

  return {
    outdatedFor,
    current() {
      if (maxStaleness !== null && outdatedFor() > maxStaleness) {
        throw new AuthError("unavailable", "the issuer's keys have changed and can't be read");
      }
      return loaded?.keys ?? none;
    },
    observe(version) {
      if (version === newest) return;
      newest = version;
      noteDifference();
      if (isOther() && isStarted) loop.wake();
    },
    read: async () => void (await step()),
    isDue() {
      const age = clock.monotonic() - startedAt;
      if (failure !== null) return age >= retry.first && clock.monotonic() >= pausedUntil;
      return loaded === null || isWanted || age >= interval || (isOther() && (newest !== wanted || age >= repeat));
    },
    start() {
      isStarted = true;
      loop.wake();
    },
    stop: () => void loop.stop(),
    get kids() {
      return loaded?.kids ?? [];
    },
    get published() {
      return loaded;
    },
    get isLoaded() {
      return loaded !== null;
    },
    get failure() {
      return failure;
    },
  };
}

function parse(body: Uint8Array): ReturnType<typeof parseJwks> {
  try {
    return parseJwks(Buffer.from(body).toString());
  } catch {
    throw new RequestFailure("the issuer's JWK Set is malformed");
  }
}

const notKnown = () => new AuthError("unavailable", "the issuer's keys are not known");
