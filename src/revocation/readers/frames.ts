import type { Clock } from "../../core/runtime/clock.ts";
import { type Cursor, parseCursorText, toCursorText } from "./cursor.ts";
import { headerLength, recordLength, writeHeader, writeHeld } from "./frame.ts";
import type { LogPlace } from "./record-log.ts";
import type { FeedSource } from "./source.ts";

/** How far a reader has got: what the next frame must continue. */
export interface ReaderPosition {
  /** The number of the last record that it has; `null`: it comes from another process. */
  readonly number: number | null;
  /** How far it has read the store; `null`: it isn't known. */
  readonly place: LogPlace | null;
  /** The lower 16 bits of the last version of the keys that a frame has named for it; `null`: no frame has. */
  readonly keys: number | null;
}

/** A frame, ready to be sent. */
export interface Frame {
  /** The header. Records may follow it. */
  readonly head: Uint8Array;
  /** The records that aren't in `head`. Shared with other frames: it must not be changed. */
  readonly body: Uint8Array;
  /** How far a reader has got that has applied the frame. */
  readonly to: ReaderPosition;
  /** When the frame was made: milliseconds on the monotonic clock. */
  readonly madeAt: number;
}

/** Makes frames. Those that continue the same position at about the same time are made once. */
export interface Frames {
  /** Returns the position in a reader's cursor. Any other text is that of a reader that has nothing. */
  toPosition(cursor: string | undefined): ReaderPosition;
  /** Looks up the version of the keys. Returns whether it is another one. */
  noteKeys(): boolean;
  /** Returns whether a frame would tell a reader at this position anything. */
  hasNews(position: ReaderPosition): boolean;
  /**
   * Returns a frame that continues a position. It has every awaited record of the log.
   *
   * @param arrivedAt when the request arrived, on the monotonic clock; `null` for later frames of a stream.
   */
  make(position: ReaderPosition, arrivedAt: number | null): Frame;
  /** Frees what is kept for frames that no reader has needed lately. */
  sweep(): void;
}

/** A copy of all records, made at one time. */
interface FullCopy {
  readonly body: Uint8Array;
  readonly number: number;
  readonly place: LogPlace | null;
  /** When it was copied, and by how much it was behind the store then, in milliseconds. */
  readonly at: number;
  readonly age: number;
}

/** Milliseconds for which a frame is given to others that continue the same position. */
const sharedFor = 5;

/** Milliseconds for which a copy of all records is used although the log has others: the reader gets those with its next frame. */
const fullCopyUsedFor = 1_000;

/** Milliseconds for which a copy of all records is kept without being used. */
const fullCopyKeptFor = 10_000;

const nothing = new Uint8Array();

/** The position of a reader that has nothing. */
const start: ReaderPosition = { number: null, place: null, keys: null };

/** Creates the frames of a process. `processId` is its random name in cursors. */
export function createFrames(source: FeedSource, clock: Pick<Clock, "monotonic">, processId: bigint): Frames {
  const { log } = source;
  const shared = new Map<string, Frame>();
  let sharedAt = Number.NEGATIVE_INFINITY;
  let sharedEnd = 0;
  let fullCopy: FullCopy | null = null;
  let keyVersion = source.keyVersion();

  /** Whether the records after a position are kept in their order. */
  const isLatest = (position: ReaderPosition): position is ReaderPosition & { readonly number: number } =>
    position.number !== null && log.isLatest(position.number);

  /** Returns the records after a position; `null` if all of them are as short, or only all of them will do. */
  function copyNews(position: ReaderPosition): Uint8Array | null {
    const { number, place } = position;
    if (number !== null && log.end - number > log.size) return null;
    if (isLatest(position)) return log.copyAfter(position.number);
    if (place === null || place.history !== log.place()?.history) return null;
    const since = log.copySince(place.horizon);
    return since.length < log.size * recordLength ? since : null;
  }

  function copyAll(position: ReaderPosition, now: number): FullCopy {
    if (fullCopy?.number === log.end) fullCopy = toFullCopy(fullCopy.body, now);
    else if (fullCopy === null || !isUsable(fullCopy, position, now)) fullCopy = toFullCopy(log.copyAll(), now);
    return fullCopy;
  }

  /** Returns whether a copy will do although the log has others. */
  function isUsable({ at, number }: FullCopy, position: ReaderPosition, now: number): boolean {
    // An awaited record must be in every frame from now on: a confirmation doesn't wait for new readers.
    return now - at < fullCopyUsedFor && number >= log.lastAwaited && number > (position.number ?? -1);
  }

  const toFullCopy = (body: Uint8Array, at: number): FullCopy => ({
    body,
    number: log.end,
    place: log.place(),
    at,
    age: source.age(),
  });

  function toFrame(position: ReaderPosition): Frame {
    const now = clock.monotonic();
    const news = copyNews(position);
    const from =
      news === null ? copyAll(position, now) : { number: log.end, place: log.place(), at: now, age: source.age() };
    const { number, place } = from;
    const to = { number, place, keys: keyVersion & 0xffff };
    const body = news ?? (from as FullCopy).body;
    const head = new Uint8Array(headerLength + (news?.length ?? 0));
    writeHeader(head, {
      isFull: news === null,
      isAwaited: log.lastAwaited > (news !== null && isLatest(position) ? position.number : 0),
      count: body.length / recordLength,
      age: from.age + (now - from.at),
      madeAt: now,
      keyVersion,
      held: 0,
      cursor: toCursorText({ process: processId, ...to, history: place?.history ?? 0n, horizon: place?.horizon ?? 0n }),
    });
    if (news !== null) head.set(news, headerLength);
    return { head, body: news === null ? body : nothing, to, madeAt: now };
  }

  /** Returns the same frame to readers at the same position, while it is current. */
  function share(position: ReaderPosition, arrivedAt: number): Frame {
    const now = clock.monotonic();
    if (now - sharedAt > sharedFor || sharedAt < arrivedAt || sharedEnd !== log.end) {
      shared.clear();
      [sharedAt, sharedEnd] = [now, log.end];
    }
    const { place } = position;
    const key = isLatest(position) ? `${position.number}` : `${place?.history}/${place?.horizon}`;
    let frame = shared.get(key);
    if (frame === undefined) {
      frame = toFrame(position);
      shared.set(key, frame);
    }
    return frame;
  }

  function toKnownNumber(cursor: Cursor): number | null {
    return cursor.process === processId && cursor.number <= log.end ? cursor.number : null;
  }

  return {
    toPosition(text) {
      const cursor = text === undefined ? null : parseCursorText(text);
      if (cursor === null) return start;
      const { history, horizon, keys } = cursor;
      return { number: toKnownNumber(cursor), place: history === 0n ? null : { history, horizon }, keys };
    },
    noteKeys() {
      const version = source.keyVersion();
      if (version === keyVersion) return false;
      keyVersion = version;
      shared.clear();
      return true;
    },
    hasNews: ({ number, keys }) => number === null || number < log.end || keys !== (keyVersion & 0xffff),
    make(position, arrivedAt) {
      const frame = share(position, arrivedAt ?? Number.NEGATIVE_INFINITY);
      const held = arrivedAt === null ? 0 : frame.madeAt - arrivedAt;
      return held < 1 ? frame : { ...frame, head: withHeld(frame.head, held) };
    },
    sweep() {
      if (fullCopy !== null && clock.monotonic() - fullCopy.at > fullCopyKeptFor) fullCopy = null;
    },
  };
}

function withHeld(head: Uint8Array, held: number): Uint8Array {
  const copy = head.slice();
  writeHeld(copy, held);
  return copy;
}
