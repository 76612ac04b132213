import { AuthError } from "../../core/errors.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import { createLoop } from "../../core/runtime/loop.ts";
import type { Random } from "../../core/runtime/random.ts";
import type { Schedule } from "../../core/runtime/schedule.ts";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import { parseCursorText } from "./cursor.ts";
import { createFrames, type Frame, type ReaderPosition } from "./frames.ts";
import { createPolls } from "./polls.ts";
import type { ReaderLeases } from "./reader-leases.ts";
import type { FeedReaders, PolledFrame, ReaderRequest } from "./readers.ts";
import type { FeedSource } from "./source.ts";
import { toRegisteredLease, toStreamTime } from "./stream-time.ts";
import { type FrameStream, openFrameStream } from "./streams.ts";

/** The options of `createFeedReaders`. */
export interface FeedReadersOptions {
  readonly source: FeedSource;
  /** Learns of every frame, so that a revocation is confirmed only when no reader can lack it. */
  readonly leases: ReaderLeases;
  readonly clock: Pick<Clock, "monotonic">;
  readonly random: Random;
  /** How many streams may be open, and how many polls may wait. */
  readonly maxStreams: number;
  readonly schedule?: Schedule | undefined;
}

/** A stream with what else is known about its reader. */
interface OpenStream {
  readonly request: ReaderRequest;
  /** When it is closed, on the monotonic clock. */
  readonly closeAt: number;
  /** After how many milliseconds without a frame an empty one is sent. */
  readonly beat: number;
}

/** Milliseconds in which new records are gathered. */
const gathering = { awaited: 2, other: 10 };

/** How many streams get their frames before others have their turn. */
const streamsAtOnce = 250;

/** Milliseconds between two looks at what is due. */
const tick = 50;

/**
 * Milliseconds between two empty frames: 10 % more or less, together with `tick`. A quarter of the lease if that is less: with a short
 * one, a reader would get stale between two frames.
 */
const heartbeat = { shortest: 900, range: 150 };

/** For how many milliseconds a reader may take nothing: a minute, or its lease if that is shorter, and a margin. Then it has gone. */
const stall = { longest: 60_000, margin: 5_000 };

/** Milliseconds between two sweeps. */
const sweepInterval = 1_000;

/** Creates the readers of a process. At first, there are none. */
export function createFeedReaders(options: FeedReadersOptions): FeedReaders {
  const { source, leases, clock, random, maxStreams, schedule = unrefSchedule } = options;
  const { log } = source;
  const now = clock.monotonic;
  const processId = Buffer.from(random(8)).readBigUInt64BE();
  const frames = createFrames(source, clock, processId);
  const streams = new Map<FrameStream, OpenStream>();
  const polls = createPolls({ schedule, send: sendPoll });
  const flushes = createLoop({ step: flush, schedule });
  const ticks = createLoop({ step: async () => checkDue(), schedule });
  const unsubscribe = log.subscribe((isAwaited) => {
    if (streams.size + polls.size > 0) flushes.wake(isAwaited ? gathering.awaited : gathering.other);
  });
  let bytes = 0;
  let sweptAt = now();
  let isStopped = false;

  /** The position of the first frame is that of the reader's cursor: what it has applied. */
  function makeFrame(position: ReaderPosition, request: ReaderRequest, isFirst: boolean): Frame {
    const { reader, lease, arrivedAt } = request;
    const frame = frames.make(position, isFirst ? arrivedAt : null);
    const known = isFirst ? (position.number ?? 0) : 0;
    leases.extend(reader, { lease, madeAt: frame.madeAt, arrivedAt, known });
    bytes += frame.head.length + frame.body.length;
    return frame;
  }

  async function admit({ reader, after, lease }: ReaderRequest): Promise<ReaderPosition> {
    requireFresh();
    if (reader !== undefined) leases.acknowledge(reader, frames.toPosition(after).number ?? 0);
    await source.requireLease(toRegisteredLease(lease));
    await source.prepare();
    requireFresh();
    ticks.wake(tick);
    frames.noteKeys();
    return frames.toPosition(after);
  }

  function requireFresh(): void {
    if (isStopped) throw new AuthError("unavailable", "the process is stopping");
    if (!source.isFresh()) throw new AuthError("unavailable", "revocations are too stale");
  }

  function requireRoom(open: number): void {
    if (open >= maxStreams) throw new AuthError("throttled", "too many readers of the feed", { retryAfter: 1 });
  }

  function sendPoll(position: ReaderPosition, request: ReaderRequest): PolledFrame {
    const { head, body } = makeFrame(position, request, true);
    return { parts: body.length === 0 ? [head] : [head, body], length: head.length + body.length };
  }

  function sendTo(stream: FrameStream, isFirst = false): void {
    const open = streams.get(stream);
    if (open === undefined || !stream.isWaiting) return;
    // Never later: the lease that was asked for covers a stream of this time.
    if (now() >= open.closeAt) stream.close();
    else stream.send(makeFrame(stream.position, open.request, isFirst));
  }

  /** Gives every reader what is new. */
  async function flush(): Promise<null> {
    polls.answer((position) => frames.hasNews(position));
    let sent = 0;
    for (const stream of streams.keys()) {
      if (!stream.isWaiting || !frames.hasNews(stream.position)) continue;
      sendTo(stream);
      sent += 1;
      if (sent % streamsAtOnce === 0) await new Promise<void>((resolve) => schedule(resolve, 0));
    }
    return null;
  }

  function checkDue(): number | null {
    const time = now();
    if (time - sweptAt >= sweepInterval) {
      sweptAt = time;
      leases.sweep();
      frames.sweep();
    }
    if (frames.noteKeys()) flushes.wake();
    for (const [stream, { request, closeAt, beat }] of streams) {
      if (stream.isWaiting) {
        if (time >= closeAt || time - stream.madeAt >= beat) sendTo(stream);
      } else if (time - stream.takenAt > Math.min(request.lease, stall.longest) + stall.margin) stream.close();
    }
    if (streams.size + polls.size > 0) return tick;
    return leases.areOver() ? null : sweepInterval;
  }

  return {
    async poll(request, { wait, signal }) {
      requireRoom(polls.size);
      const position = await admit(request);
      signal?.throwIfAborted();
      if (wait <= 0 || frames.hasNews(position)) return sendPoll(position, request);
      requireRoom(polls.size);
      return polls.add(position, request, { wait, signal });
    },

    async stream(request, signal) {
      requireRoom(streams.size);
      const position = await admit(request);
      requireRoom(streams.size);
      let isFirst = true;
      const stream = openFrameStream({
        position,
        now,
        onWaiting(waiting) {
          if (isFirst || frames.hasNews(waiting.position)) sendTo(waiting, isFirst);
          isFirst = false;
        },
        onEnd(ended) {
          streams.delete(ended);
          signal?.removeEventListener("abort", close);
        },
      });
      const close = () => stream.close();
      const time = toStreamTime(request.lease, toFraction(random));
      const beat = Math.min(heartbeat.shortest + toFraction(random) * heartbeat.range, request.lease / 4);
      streams.set(stream, { request, closeAt: now() + time, beat });
      if (signal?.aborted) close();
      else signal?.addEventListener("abort", close, { once: true });
      return stream.readable;
    },

    acknowledge(reader, text) {
      const cursor = parseCursorText(text);
      if (cursor?.process === processId) leases.acknowledge(reader, Math.min(cursor.number, log.end));
    },

    stats: () => ({
      streams: streams.size,
      polls: polls.size,
      bytes,
      records: log.size,
      lag: streams.size === 0 ? 0 : now() - Math.min(...[...streams.keys()].map(({ madeAt }) => madeAt)),
    }),

    stop() {
      isStopped = true;
      unsubscribe();
      for (const stream of [...streams.keys()]) stream.close();
      polls.stop();
      void flushes.stop();
      void ticks.stop();
    },
  };
}

/** Returns a random number from 0 to 1. */
function toFraction(random: Random): number {
  return Buffer.from(random(4)).readUInt32BE() / 2 ** 32;
}
