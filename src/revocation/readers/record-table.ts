import { type FeedRecord, recordLength, writeRecord } from "./frame.ts";

/** The position of a record that isn't known: later than every other one. */
export const unknownPosition = Number.POSITIVE_INFINITY;

/**
 * Every record that a reader may need, in the form of frames: sorted by fingerprint, each fingerprint once. So a full frame is a
 * copy. A record takes 24 bytes and some room for others.
 */
export interface RecordTable {
  /**
   * Adds a record, or merges it with that of the same fingerprint: the larger value and the later `until` hold.
   *
   * @param position of the record in the store, or `unknownPosition`.
   * @returns the record that the table holds now; `null` if it held that before.
   */
  merge(record: FeedRecord, position: number): FeedRecord | null;
  /** Returns the bytes of every record. */
  copyAll(): Uint8Array;
  /** Returns the bytes of the records at this position and above. */
  copySince(position: number): Uint8Array;
  /** Removes records whose `until` is before `time` from the next part of the table. Sixty calls cover the table. */
  sweep(time: number): void;
  /** How many records there are. */
  readonly size: number;
}

/** A part of the table: the records whose fingerprints begin with the same bits. */
interface Shard {
  bytes: Uint8Array;
  view: DataView;
  positions: Float64Array;
  count: number;
}

/** Few records must be moved to make room for one: a thousand among a million. */
const shardBits = 10;
const shardCount = 2 ** shardBits;
const shardsPerSweep = Math.ceil(shardCount / 60);

/** Creates an empty table. */
export function createRecordTable(): RecordTable {
  const shards = Array.from({ length: shardCount }, () => createShard(0));
  let size = 0;
  let nextToSweep = 0;

  return {
    merge(record, position) {
      const high = Number(record.fingerprint >> 32n);
      const shard = shards[high >>> (32 - shardBits)] as Shard;
      const row = locate(shard, high, Number(record.fingerprint & 0xffff_ffffn));
      if (row < shard.count && shard.view.getBigUint64(row * recordLength) === record.fingerprint) {
        return mergeRow(shard, row, record, position);
      }
      insert(shard, row, record, position);
      size += 1;
      return record;
    },

    copyAll() {
      const all = new Uint8Array(size * recordLength);
      let end = 0;
      for (const { bytes, count } of shards) {
        all.set(bytes.subarray(0, count * recordLength), end);
        end += count * recordLength;
      }
      return all;
    },

    copySince(position) {
      const rows = (shard: Shard) => {
        let found = 0;
        for (let row = 0; row < shard.count; row++) if ((shard.positions[row] as number) >= position) found++;
        return found;
      };
      const counts = shards.map(rows);
      const copy = new Uint8Array(counts.reduce((sum, count) => sum + count, 0) * recordLength);
      let end = 0;
      for (const [index, shard] of shards.entries()) {
        for (let row = 0; row < shard.count && (counts[index] as number) > 0; row++) {
          if ((shard.positions[row] as number) < position) continue;
          copy.set(shard.bytes.subarray(row * recordLength, (row + 1) * recordLength), end);
          end += recordLength;
        }
      }
      return copy;
    },

    sweep(time) {
      for (let n = 0; n < shardsPerSweep; n++) {
        size -= removeExpired(shards[nextToSweep] as Shard, time);
        nextToSweep = (nextToSweep + 1) % shardCount;
      }
    },

    get size() {
      return size;
    },
  };
}

function createShard(capacity: number): Shard {
  const bytes = new Uint8Array(capacity * recordLength);
  return { bytes, view: new DataView(bytes.buffer), positions: new Float64Array(capacity), count: 0 };
}

/** Returns the row of a fingerprint, or the row before which it must be inserted. */
function locate({ view, count }: Shard, high: number, low: number): number {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const found = view.getUint32(middle * recordLength);
    const isBefore = found === high ? view.getUint32(middle * recordLength + 4) < low : found < high;
    if (isBefore) from = middle + 1;
    else to = middle;
  }
  return from;
}

function insert(shard: Shard, row: number, record: FeedRecord, position: number): void {
  if (shard.count === shard.positions.length) resize(shard, Math.ceil(shard.count * 1.3) + 4);
  const { bytes, positions, count } = shard;
  bytes.copyWithin((row + 1) * recordLength, row * recordLength, count * recordLength);
  positions.copyWithin(row + 1, row, count);
  shard.count += 1;
  writeRecord(shard.view, row * recordLength, record);
  positions[row] = position;
}

function resize(shard: Shard, capacity: number): void {
  const { bytes, positions, count } = shard;
  Object.assign(shard, createShard(capacity), { count });
  shard.bytes.set(bytes.subarray(0, count * recordLength));
  shard.positions.set(positions.subarray(0, count));
}

/**
 * A reader from another node that has read up to a position must get what it lacks. So the position of a row is one at which
 * everything in the row is known.
 */
function mergeRow({ view, positions }: Shard, row: number, record: FeedRecord, position: number): FeedRecord | null {
  const at = row * recordLength;
  const [heldUntil, heldValue] = [view.getUint32(at + 8), view.getUint32(at + 12)];
  const until = Math.max(record.until, heldUntil);
  const value = Math.max(record.value, heldValue);
  const held = positions[row] as number;
  const isWhole = record.until === until && record.value === value;
  if (until === heldUntil && value === heldValue) {
    // The same record was read again, or for the first time after this node has committed it.
    if (isWhole && position !== unknownPosition)
      positions[row] = held === unknownPosition ? position : Math.max(held, position);
    return null;
  }
  positions[row] = isWhole ? position : Math.max(held, position);
  const merged = { fingerprint: record.fingerprint, until, value };
  writeRecord(view, at, merged);
  return merged;
}

/** Returns how many records were removed. */
function removeExpired(shard: Shard, time: number): number {
  const { bytes, view, positions, count } = shard;
  let kept = 0;
  for (let row = 0; row < count; row++) {
    if (view.getUint32(row * recordLength + 8) < time) continue;
    if (kept !== row) {
      bytes.copyWithin(kept * recordLength, row * recordLength, (row + 1) * recordLength);
      positions[kept] = positions[row] as number;
    }
    kept++;
  }
  shard.count = kept;
  if (kept < positions.length / 2) resize(shard, kept);
  return count - kept;
}
