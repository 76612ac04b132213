import { createKeyedHash } from "./keyed-hash.ts";

/** The 64 bits that represent an id in one table. */
export interface Fingerprint {
  /** Determines the position within a shard. */
  readonly tag: number;
  /** Determines the shard, and distinguishes fingerprints with the same tag. */
  readonly check: number;
}

/**
 * A map from ids to small numbers. Its entries expire. It stores 64-bit fingerprints, made with its own key, instead of the
 * ids. With a million entries, the probability that a missing id is mistaken for a stored one is 2^-44. Without the key, an
 * attacker can't search for such an id.
 */
export interface FingerprintTable {
  /**
   * Stores `id` with `value` until the time `until`, in seconds since the epoch. Does nothing if that time has passed. If
   * the id is already stored, the higher value and the later time are kept.
   *
   * @param value a number from 1 to 2^32 - 1. In a table without values, it must be 1.
   */
  set(id: string, value: number, until: number): void;
  /** Returns the value of `id`, or 0 if the id is not stored. An expired entry may still be found until it is swept. */
  get(id: string): number;
  /**
   * Computes the fingerprint of an id, which is most of the work of `get`. Use it for an id that is looked up repeatedly.
   */
  toFingerprint(id: string): Fingerprint;
  /** Returns the value of the id with this fingerprint in this table, or 0 if the id is not stored. */
  find(fingerprint: Fingerprint): number;
  /** Removes the expired entries from the next part of the table. The part has `slots` slots or slightly more. */
  sweep(slots: number): void;
  /** The number of entries. Expired entries count until they are swept. */
  readonly size: number;
}

/** The options of `createFingerprintTable`. */
export interface FingerprintTableOptions {
  /** Returns the current time, in whole seconds since the epoch. */
  readonly now: () => number;
  /** Whether the entries have values. */
  readonly values: boolean;
}

/**
 * The number of shards. It is small enough that their headers stay in the cache, and large enough that rebuilding one shard
 * takes no noticeable time.
 */
const SHARDS = 256;
/** The load at which a shard is rebuilt, and its load after that. */
const MAX_LOAD = 0.82;
const REBUILT_LOAD = 0.73;
/** The number of slots after the last home position, for entries that are pushed there. */
const SPILL = 32;
/** The tag of an empty slot. It is higher than every other tag. */
const EMPTY = 2 ** 31 - 1;

/** A part of the table. It uses open addressing with linear probing, in the order of the tags. */
interface Shard {
  /**
   * One row for each slot: the fingerprint's tag and check, the expiry time and, in a table with values, the value. An
   * entry is at the home position of its tag, or in the nearest free slot after it, so that a look-up compares only a few
   * tags. The last slot is always empty.
   */
  readonly cells: Int32Array;
  /** The number of cells of a row. */
  readonly columns: number;
  /**
   * A filter with one bit for every eighth of a home position. A bit is set if an entry has its home there. The filter is
   * small enough to stay in the cache.
   */
  readonly filter: Int32Array;
  readonly homes: number;
  count: number;
}

/** Creates an empty table. */
export function createFingerprintTable(options: FingerprintTableOptions): FingerprintTable {
  const { now, values } = options;
  const columns = values ? 4 : 3;
  const hash = createKeyedHash();
  const words = new Int32Array(2);
  const shards = Array.from({ length: SHARDS }, () => createShard(0, columns));
  let size = 0;
  let nextToSweep = 0;

  function put(index: number, shard: Shard): Shard {
    size += shard.count - (shards[index] as Shard).count;
    shards[index] = shard;
    return shard;
  }

  function toFingerprint(id: string): Fingerprint {
    hash(id, words);
    return { tag: Math.min(words[0] as number, EMPTY - 1), check: words[1] as number };
  }

  function find(fingerprint: Fingerprint): number {
    const { tag, check } = fingerprint;
    const shard = shards[check & (SHARDS - 1)] as Shard;
    const bit = toHome(tag, shard.homes * 8);
    if ((((shard.filter[bit >>> 5] as number) >>> (bit & 31)) & 1) === 0) return 0;
    const row = locate(shard, fingerprint);
    if (shard.cells[row] !== tag) return 0;
    return values ? unsigned(shard.cells, row + 3) : 1;
  }

  return {
    toFingerprint,
    find,
    get: (id) => (size === 0 ? 0 : find(toFingerprint(id))),

    set(id, value, until) {
      const time = now();
      if (until <= time) return;
      const fingerprint = toFingerprint(id);
      const index = fingerprint.check & (SHARDS - 1);
      let shard = shards[index] as Shard;
      if (shard.count >= shard.homes * MAX_LOAD) shard = put(index, rebuild(shard, { room: 1, time }));

      let row = locate(shard, fingerprint);
      if (shard.cells[row] !== fingerprint.tag) {
        for (let room = SPILL; !insert(shard, row, fingerprint); room *= 2) {
          shard = put(index, rebuild(shard, { room, time }));
          row = locate(shard, fingerprint);
        }
        size++;
      }
      const { cells } = shard;
      const heldUntil = unsigned(cells, row + 2);
      const heldValue = values && heldUntil > time ? unsigned(cells, row + 3) : 0;
      cells[row + 2] = Math.max(until, heldUntil);
      if (values) cells[row + 3] = Math.max(value, heldValue);
    },

    sweep(slots) {
      const time = now();
      let seen = 0;
      for (let n = 0; n < SHARDS && seen < slots; n++) {
        const shard = shards[nextToSweep] as Shard;
        if (countLive(shard, time) < shard.count) put(nextToSweep, rebuild(shard, { room: 0, time }));
        seen += shard.cells.length / columns;
        nextToSweep = (nextToSweep + 1) % SHARDS;
      }
    },

    get size() {
      return size;
    },
  };
}

/** Maps tags to `homes` positions without changing their order. */
const toHome = (tag: number, homes: number) => ((tag + 2 ** 31) * (homes / 2 ** 32)) | 0;

const unsigned = (cells: Int32Array, at: number) => (cells[at] as number) >>> 0;

function createShard(entries: number, columns: number): Shard {
  const homes = Math.max(1, Math.ceil(entries / REBUILT_LOAD));
  const cells = new Int32Array((homes + SPILL) * columns).fill(EMPTY);
  return { cells, columns, filter: new Int32Array(Math.ceil(homes / 4)), homes, count: 0 };
}

/**
 * Returns the index in the cells at which the row of this fingerprint begins. If there is no such row, returns the index at
 * which it must be inserted.
 */
function locate({ cells, columns, homes }: Shard, { tag, check }: Fingerprint): number {
  let row = toHome(tag, homes) * columns;
  while ((cells[row] as number) < tag) row += columns;
  while (cells[row] === tag && cells[row + 1] !== check) row += columns;
  return row;
}

/** Begins a row with this tag. The caller writes its other cells. */
function fill(shard: Shard, row: number, tag: number): void {
  shard.cells[row] = tag;
  const bit = toHome(tag, shard.homes * 8);
  shard.filter[bit >>> 5] = (shard.filter[bit >>> 5] as number) | (1 << (bit & 31));
  shard.count++;
}

/**
 * Inserts a row at `row`. The rows from there to the next empty one move by one. Returns false if that empty row is the
 * last one.
 */
function insert(shard: Shard, row: number, fingerprint: Fingerprint): boolean {
  const { cells, columns } = shard;
  let empty = row;
  while (cells[empty] !== EMPTY) empty += columns;
  if (empty === cells.length - columns) return false;
  cells.copyWithin(row + columns, row, empty);
  cells.fill(0, row, row + columns);
  fill(shard, row, fingerprint.tag);
  cells[row + 1] = fingerprint.check;
  return true;
}

function countLive({ cells, columns }: Shard, time: number): number {
  let live = 0;
  for (let row = 0; row < cells.length; row += columns) {
    if (cells[row] !== EMPTY && unsigned(cells, row + 2) > time) live++;
  }
  return live;
}

/** Returns a new shard with the entries that are live at `time`, and room for more. */
function rebuild(old: Shard, { room, time }: { readonly room: number; readonly time: number }): Shard {
  const { columns } = old;
  const shard = createShard(countLive(old, time) + room, columns);
  const end = shard.cells.length - columns;
  let next = 0;
  for (let row = 0; row < old.cells.length; row += columns) {
    const tag = old.cells[row] as number;
    if (tag === EMPTY || unsigned(old.cells, row + 2) <= time) continue;
    const target = Math.max(next, toHome(tag, shard.homes) * columns);
    if (target === end) return rebuild(old, { room: room * 2 + SPILL, time });
    fill(shard, target, tag);
    for (let column = 1; column < columns; column++) shard.cells[target + column] = old.cells[row + column] as number;
    next = target + columns;
  }
  return shard;
}
