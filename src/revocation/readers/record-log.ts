import type { Clock } from "../../core/runtime/clock.ts";
import { type FeedRecord, recordLength, writeRecord } from "./frame.ts";
import { createRecordTable, unknownPosition } from "./record-table.ts";

/** A record, and what is known about it. */
export interface NewRecord extends FeedRecord {
  /** Its position in the store; `null` if it isn't known (yet). */
  readonly position: bigint | null;
  /** Whether a caller waits until every reader has applied it. */
  readonly isAwaited: boolean;
}

/** How far the store has been read: the place of a batch, with the first 8 bytes of SHA-256 of the history's name. */
export interface LogPlace {
  /** The name of the history. Positions of two histories can't be compared. */
  readonly history: bigint;
  /** Every record at a lower position is in the log. */
  readonly horizon: bigint;
}

/**
 * The records that a process hands to readers: the latest ones in their order, and all of them by fingerprint. They are numbered
 * from 1 in the order in which this process has got them.
 */
export interface RecordLog {
  /**
   * Appends what is new among records, and calls the subscribers if something is. Records of one act come in one call, so
   * that no frame has only some of them.
   */
  append(records: Iterable<NewRecord>): void;
  /** Notes how far the store has been read. */
  setPlace(place: LogPlace): void;
  /** Returns how far the store has been read; `null` if that isn't known. */
  place(): LogPlace | null;
  /** The number of the last record; 0 if there is none. */
  readonly end: number;
  /** The number of the last record for which a caller waits; 0 if there is none. */
  readonly lastAwaited: number;
  /** How many records a full frame has. */
  readonly size: number;
  /** Returns whether the records after a number are kept in their order. */
  isLatest(number: number): boolean;
  /** Returns the bytes of the records after a number, in their order. Only if they are kept in it. */
  copyAfter(number: number): Uint8Array;
  /** Returns the bytes of the records at a position in the store and above. */
  copySince(horizon: bigint): Uint8Array;
  /** Returns the bytes of every record, sorted by fingerprint. */
  copyAll(): Uint8Array;
  /** Frees a part of the records that no reader needs any more. Call it about once a second. */
  sweep(): void;
  /** Calls `listener` after something was appended. @returns a function that ends that. */
  subscribe(listener: (isAwaited: boolean) => void): () => void;
}

/** Seconds for which records are kept after `until`: the longest `leeway` of a reader, and a minute because clocks differ. */
export const recordRetention = 360;

/** How many of the latest records are kept in their order: half a megabyte. A reader that is further behind gets others too. */
const latestCount = 2 ** 15;

/** How many awaited records are remembered, so that they aren't sent again when the store's read brings them. */
const mostRemembered = 1_000;

/** Creates an empty log. */
export function createRecordLog({ clock }: { readonly clock: Pick<Clock, "now"> }): RecordLog {
  const table = createRecordTable();
  const latest = new Uint8Array(latestCount * recordLength);
  const view = new DataView(latest.buffer);
  const subscribers = new Set<(isAwaited: boolean) => void>();
  /** Awaited records that haven't been read from the store since they were appended. */
  const sentAsAwaited = new Set<bigint>();
  let end = 0;
  let lastAwaited = 0;
  let place: LogPlace | null = null;

  function push(record: FeedRecord, isAwaited: boolean): void {
    writeRecord(view, (end % latestCount) * recordLength, record);
    end += 1;
    if (isAwaited) lastAwaited = end;
  }

  function remember(fingerprint: bigint): void {
    // Without it, a record is only sent twice.
    if (sentAsAwaited.size >= mostRemembered) sentAsAwaited.clear();
    sentAsAwaited.add(fingerprint);
  }

  return {
    append(records) {
      const before = { end, lastAwaited };
      const oldest = clock.now() - recordRetention;
      /** A record that is known already, but readers may not have acknowledged it. One is enough for all of them. */
      let again: FeedRecord | null = null;
      for (const { position, isAwaited, ...record } of records) {
        // An awaited one is new: it only looks expired if this clock was set forward, and readers have other clocks.
        if (record.until < oldest && !isAwaited) continue;
        const merged = table.merge(record, position === null ? unknownPosition : Number(position));
        if (merged !== null) {
          push(merged, isAwaited);
          if (isAwaited) remember(record.fingerprint);
          else sentAsAwaited.delete(record.fingerprint);
        } else if (isAwaited && !sentAsAwaited.delete(record.fingerprint)) again = record;
      }
      if (again !== null) push(again, true);
      if (end === before.end) return;
      for (const subscriber of subscribers) subscriber(lastAwaited > before.lastAwaited);
    },

    setPlace(next) {
      place = next;
    },
    place: () => place,
    get end() {
      return end;
    },
    get lastAwaited() {
      return lastAwaited;
    },
    get size() {
      return table.size;
    },

    isLatest: (number) => number >= end - latestCount,

    copyAfter(number) {
      const from = (number % latestCount) * recordLength;
      const length = (end - number) * recordLength;
      const copy = new Uint8Array(length);
      const first = latest.subarray(from, Math.min(from + length, latest.length));
      copy.set(first);
      copy.set(latest.subarray(0, length - first.length), first.length);
      return copy;
    },

    copySince: (horizon) => table.copySince(Number(horizon)),
    copyAll: table.copyAll,
    sweep: () => table.sweep(clock.now() - recordRetention),

    subscribe(listener) {
      subscribers.add(listener);
      return () => void subscribers.delete(listener);
    },
  };
}
