import { createKeyedHash } from "./keyed-hash.ts";

/** 64 bits of an id, under the key of one table. */
export interface Fingerprint {
  readonly tag: number;
  readonly check: number;
}

/**
 * A map from ids to a small number that forgets its entries after a time. It keeps 64-bit fingerprints of the ids under a
 * key of its own, not the ids: with a million entries an id that is not held is taken for one that is with a
 * probability of 2^-44, and nobody can look for such an id without the key.
 */
export interface FingerprintTable {
  /**
   * Holds `id` with `value` until `until` (seconds since the epoch); nothing where that has passed. An id that is held
   * already keeps the higher value and the later time.
   *
   * @param value - from 1 to 2^32 - 1, and 1 in a table without values
   */
  set(id: string, value: number, until: number): void;
  /** The value of `id`, 0 where it is not held. An expired entry may still answer until it is swept. */
  get(id: string): number;
  /** Most of the work of `get`, to be done once for an id that is asked for again and again. */
  toFingerprint(id: string): Fingerprint;
  /** As `get`, for the id whose fingerprint in this table this is. */
  find(fingerprint: Fingerprint): number;
  /** Frees what has expired in the next part of the table: `slots` slots or slightly more, or all if there are fewer. */
  sweep(slots: number): void;
  /** How many entries there are; expired ones count until they are swept. */
  readonly size: number;
}

/** Few enough for their headers to stay in the cache, enough for a rebuild of one to take no noticeable time. */
const SHARDS = 256;
/** The load at which a shard is rebuilt, and the load that it then has. */
const FULLEST = 0.82;
const REBUILT = 0.73;
/** Slots behind the last home, for entries that are pushed there. */
const SPILL = 32;
/** The tag of an empty slot, above every other. */
const EMPTY = 2 ** 31 - 1;

/** One part of the table: open addressing with linear probing, in the order of the tags. */
interface Shard {
  /**
   * One row for each slot: tag and check of the fingerprint, until and, in a table with values, value. Each entry
   * stands at the home of its tag or as little behind it as the ones before allow, so that a few neighbouring tags tell
   * that there is none. The last slot is always empty.
   */
  readonly cells: Int32Array;
  /** One bit for every eighth of a home: set where an entry is at home. Small enough to stay in the cache. */
  readonly filter: Int32Array;
  readonly homes: number;
  count: number;
}

/** Makes an empty table. `now` is in seconds since the epoch. */
export function createFingerprintTable(options: {
  readonly now: () => number;
  readonly values: boolean;
}): FingerprintTable {
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

  function find({ tag, check }: Fingerprint): number {
    const shard = shards[check & (SHARDS - 1)] as Shard;
    const bit = toHome(tag, shard.homes * 8);
    if ((((shard.filter[bit >>> 5] as number) >>> (bit & 31)) & 1) === 0) return 0;
    const row = locate(shard, columns, tag, check);
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
      const { tag, check } = toFingerprint(id);
      const index = check & (SHARDS - 1);
      let shard = shards[index] as Shard;
      if (shard.count >= shard.homes * FULLEST) shard = put(index, rebuild(shard, columns, 1, time));

      let row = locate(shard, columns, tag, check);
      if (shard.cells[row] !== tag) {
        for (let room = SPILL; !insert(shard, columns, row, tag, check); room *= 2) {
          shard = put(index, rebuild(shard, columns, room, time));
          row = locate(shard, columns, tag, check);
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
        if (countLive(shard, columns, time) < shard.count) put(nextToSweep, rebuild(shard, columns, 0, time));
        seen += shard.cells.length / columns;
        nextToSweep = (nextToSweep + 1) % SHARDS;
      }
    },

    get size() {
      return size;
    },
  };
}

/** Spreads tags over `homes` places without changing their order. */
const toHome = (tag: number, homes: number) => ((tag + 2 ** 31) * (homes / 2 ** 32)) | 0;

const unsigned = (cells: Int32Array, at: number) => (cells[at] as number) >>> 0;

function createShard(entries: number, columns: number): Shard {
  const homes = Math.max(1, Math.ceil(entries / REBUILT));
  const cells = new Int32Array((homes + SPILL) * columns).fill(EMPTY);
  return { cells, filter: new Int32Array(Math.ceil(homes / 4)), homes, count: 0 };
}

/** The row of this fingerprint, or the one it would have to take: where in the cells it begins. */
function locate({ cells, homes }: Shard, columns: number, tag: number, check: number): number {
  let row = toHome(tag, homes) * columns;
  while ((cells[row] as number) < tag) row += columns;
  while (cells[row] === tag && cells[row + 1] !== check) row += columns;
  return row;
}

function fill(shard: Shard, row: number, tag: number, check: number): void {
  shard.cells[row] = tag;
  shard.cells[row + 1] = check;
  const bit = toHome(tag, shard.homes * 8);
  shard.filter[bit >>> 5] = (shard.filter[bit >>> 5] as number) | (1 << (bit & 31));
  shard.count++;
}

/** Takes `row`, pushing what stands there towards the next empty one. False: that would be the last row. */
function insert(shard: Shard, columns: number, row: number, tag: number, check: number): boolean {
  const { cells } = shard;
  let empty = row;
  while (cells[empty] !== EMPTY) empty += columns;
  if (empty === cells.length - columns) return false;
  cells.copyWithin(row + columns, row, empty);
  cells.fill(0, row, row + columns);
  fill(shard, row, tag, check);
  return true;
}

function countLive({ cells }: Shard, columns: number, time: number): number {
  let live = 0;
  for (let row = 0; row < cells.length; row += columns) {
    if (cells[row] !== EMPTY && unsigned(cells, row + 2) > time) live++;
  }
  return live;
}

/** A shard of what has not expired, with room for `more` entries. */
function rebuild(old: Shard, columns: number, more: number, time: number): Shard {
  const shard = createShard(countLive(old, columns, time) + more, columns);
  const end = shard.cells.length - columns;
  let next = 0;
  for (let row = 0; row < old.cells.length; row += columns) {
    const tag = old.cells[row] as number;
    if (tag === EMPTY || unsigned(old.cells, row + 2) <= time) continue;
    const target = Math.max(next, toHome(tag, shard.homes) * columns);
    if (target === end) return rebuild(old, columns, more * 2 + SPILL, time);
    fill(shard, target, tag, old.cells[row + 1] as number);
    for (let column = 2; column < columns; column++) shard.cells[target + column] = old.cells[row + column] as number;
    next = target + columns;
  }
  return shard;
}
