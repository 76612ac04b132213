import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { createFrameParser, type ParsedFrame } from "./frame-parser.ts";
import type { FrameTimes, Freshness } from "./freshness.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import { RequestFailure, toFailure } from "./request-failure.ts";

/** Reads frames of the issuer's feed, one request at a time. */
export interface FrameReader {
  /**
   * Sends one request for a frame, and applies it.
   *
   * @param wait seconds for which the issuer may hold the request, until there is something new.
   * @throws RequestFailure
   */
  poll(wait: number): Promise<void>;
  /**
   * Opens a stream, and applies its frames until it ends or fails.
   *
   * @throws RequestFailure if it hasn't ended after a complete frame.
   */
  stream(): Promise<void>;
  /** Ends the request in flight, with this as its failure. */
  abort(reason: string): void;
  /** Returns whether every revocation has been read once. */
  isLoaded(): boolean;
  /** Bytes that were read since the start. */
  readonly bytes: number;
}

/** Describes what a frame has changed. */
export interface FrameEffect {
  /** Whether its records said anything new. */
  readonly isNews: boolean;
  /** Whether no frame before it was fresher. */
  readonly isNewest: boolean;
}

/** The options of `createFrameReader`. */
export interface FrameReaderOptions {
  readonly requests: Pick<IssuerRequests, "openFeed">;
  readonly freshness: Freshness;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Milliseconds without a byte after which a request is given up. */
  readonly longestSilence: number;
  /** Milliseconds that are sent as the lease. */
  readonly lease: number;
  /** Applies the records of a frame. @returns whether they said anything new. */
  readonly apply: (frame: ParsedFrame) => boolean;
  /** Called for each frame when it has been applied and counted for the freshness. */
  readonly onFrame: (frame: ParsedFrame, effect: FrameEffect) => void;
  /** Returns the cursor of the next request. Default: that of the last frame. */
  readonly toCursor?: ((cursor: string) => string) | undefined;
}

/** Creates a reader that has read nothing. */
export function createFrameReader(options: FrameReaderOptions): FrameReader {
  const { requests, freshness, clock, schedule, longestSilence, lease, apply, onFrame } = options;
  const { toCursor = (last) => last } = options;
  /** The end of the last frame; `null` if everything must be read. */
  let cursor: string | null = null;
  let bytes = 0;
  let abort: ((reason: string) => void) | null = null;

  function take({ header, records }: ParsedFrame, times: FrameTimes): void {
    if (cursor === null && !header.isFull) throw new RequestFailure("the feed began in the middle");
    const measured = times.measure(header);
    const frame = { header: { ...header, isFull: header.isFull && measured.isNewest }, records };
    const isNews = apply(frame);
    cursor = header.cursor;
    measured.note();
    onFrame(frame, { isNews, isNewest: measured.isNewest });
  }

  /** Reads one response. A poll's is applied when all of it is there: it must be exactly one frame. */
  async function read(stream: boolean, wait: number): Promise<void> {
    const times = freshness.begin();
    if (times.mustReload) cursor = null;
    const after = cursor === null ? null : toCursor(cursor);
    let frames = 0;
    let polled: ParsedFrame | null = null;
    const watch = createWatch();
    try {
      const body = await requests.openFeed({ stream, after, wait, lease }, watch.signal);
      const parser = createFrameParser();
      for await (const chunk of body) {
        watch.received();
        bytes += chunk.length;
        // Before its frames: they would make fresh what was dropped while the clock was ahead.
        requireSteadyClocks(times);
        for (const frame of parser.push(chunk)) {
          frames += 1;
          if (stream) take(frame, times);
          else if (frames === 1) polled = frame;
          else throw new RequestFailure("a poll brought more than one frame");
        }
      }
      if (parser.isWithinFrame) throw new RequestFailure("the feed ended within a frame");
      if (frames === 0) throw new RequestFailure("the feed sent no frame");
      if (polled === null) return;
      requireSteadyClocks(times);
      take(polled, times);
    } catch (error) {
      throw watch.reason === null ? toFailure(error) : new RequestFailure(watch.reason);
    } finally {
      watch.end();
    }
  }

  /** Aborts a request that is silent for too long. */
  function createWatch() {
    const controller = new AbortController();
    let receivedAt = clock.monotonic();
    let reason: string | null = null;
    const giveUp = (why: string) => {
      reason ??= why;
      controller.abort();
    };
    const check = () => {
      const silence = clock.monotonic() - receivedAt;
      if (silence >= longestSilence) giveUp("the issuer was silent");
      else timer = schedule(check, longestSilence - silence);
    };
    let timer = schedule(check, longestSilence);
    abort = giveUp;
    return {
      signal: controller.signal,
      received() {
        receivedAt = clock.monotonic();
      },
      end() {
        timer.cancel();
        if (abort === giveUp) abort = null;
        // A response that wasn't read to its end must not stay open.
        controller.abort();
      },
      get reason() {
        return reason;
      },
    };
  }

  return {
    poll: (wait) => read(false, wait),
    stream: () => read(true, 0),
    abort: (reason) => abort?.(reason),
    isLoaded: () => cursor !== null,
    get bytes() {
      return bytes;
    },
  };
}

/** @throws RequestFailure if times before the request can't be compared with times after it. */
function requireSteadyClocks(times: Pick<FrameTimes, "hasDrifted">): void {
  if (times.hasDrifted()) throw new RequestFailure("the clock of this machine was set, or it was suspended");
}
