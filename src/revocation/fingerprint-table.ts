import { createKeyedHash } from "./keyed-hash.ts";

/** The 64 bits that represent an id in one table. */
export interface Fingerprint {
  /** Decides the place within a shard. */
  readonly tag: number;
  /** Decides the shard, and tells fingerprints with the same tag apart. */
  readonly check: number;
}

/**
 * A map from ids to small numbers whose entries expire. Instead of the ids, it holds 64-bit fingerprints under its own
 * key. Among a million entries, an id that is not held is taken for a held one with a probability of 2^-44, and an attacker
 * can't search for such an id without the key.
 */
export interface FingerprintTable {
  /**
   * Holds `id` with `value` until `until`, seconds since the epoch. Does nothing if that has passed. An id that is held
   * already keeps the higher value and the later time.
   *
   * @param value from 1 to 2^32 - 1; 1 in a table without values.
   */
  set(id: string, value: number, until: number): void;
  /** Returns the value of `id`, or 0 if it is not held. An expired entry may be found until it is swept. */
  get(id: string): number;
  /** Does most of the work of `get`: for an id that is looked up again and again. */
  toFingerprint(id: string): Fingerprint;
  /** Returns the value of the id with this fingerprint in this table, or 0 if it is not held. */
  find(fingerprint: Fingerprint): number;
  /** Frees the expired entries in the next part of the table: in `slots` slots or slightly more, or in all if there are fewer. */
  sweep(slots: number): void;
  /** How many entries there are. Expired ones count until they are swept. */
  readonly size: number;
}

/** What a table needs. */
export interface FingerprintTableOptions {
  /** Returns the time: whole seconds since the epoch. */
  readonly now: () => number;
  /** Whether the entries have values. */
  readonly values: boolean;
}

/** Few enough that their headers stay in the cache, and enough that rebuilding one takes no noticeable time. */
const SHARDS = 256;
/** The load at which a shard is rebuilt, and its load after that. */
const MAX_LOAD = 0.82;
const REBUILT_LOAD = 0.73;
/** Slots after the last home, for entries that are pushed there. */
const SPILL = 32;
/** The tag of an empty slot, higher than every other tag. */
const EMPTY = 2 ** 31 - 1;

/** One part of the table: open addressing with linear probing, in the order of the tags. */
interface Shard {
  /**
   * One row for each slot: the fingerprint's tag and check, until and, in a table with values, value. An entry is at the
   * home of its tag, or as near after it as the entries before allow, so that a lookup compares only a few tags. The last
   * slot is always empty.
   */
  readonly cells: Int32Array;
  /** One bit for every eighth of a home: set if an entry's home is there. Small enough to stay in the cache. */
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
      if (shard.count >= shard.homes * MAX_LOAD) shard = put(index, rebuild(shard, columns, 1, time));

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
  const homes = Math.max(1, Math.ceil(entries / REBUILT_LOAD));
  const cells = new Int32Array((homes + SPILL) * columns).fill(EMPTY);
  return { cells, filter: new Int32Array(Math.ceil(homes / 4)), homes, count: 0 };
}

/** Returns the index in the cells at which the row of this fingerprint begins or, if there is none, must be inserted. */
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

/** Inserts at `row` and pushes the rows from there on to the next empty one. Returns false if that is the last row. */
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

/** Returns a shard of the live entries, with room for `more`. */
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
