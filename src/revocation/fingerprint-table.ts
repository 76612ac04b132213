import { createKeyedHash } from "./keyed-hash.ts";

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
  /** The value of `id`, 0 where it is not held. An expired entry may still answer until it is swept. No allocation. */
  get(id: string): number;
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
   * The columns one after another, each `width` words long: tag, check (together the fingerprint), until and, in a
   * table with values, value. Each entry stands at the home of its tag or as little behind it as the ones before allow,
   * so that a few neighbouring tags tell that there is none. The last slot is always empty.
   */
  readonly cells: Int32Array;
  /** One bit for every eighth of a home: set where an entry is at home. Small enough to stay in the cache. */
  readonly filter: Int32Array;
  readonly homes: number;
  readonly width: number;
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
  const fingerprint = new Int32Array(2);
  const shards = Array.from({ length: SHARDS }, () => createShard(0, columns));
  let size = 0;
  let nextToSweep = 0;

  function put(index: number, shard: Shard): Shard {
    size += shard.count - (shards[index] as Shard).count;
    shards[index] = shard;
    return shard;
  }

  return {
    set(id, value, until) {
      const time = now();
      if (until <= time) return;
      hash(id, fingerprint);
      const tag = toTag(fingerprint[0] as number);
      const check = fingerprint[1] as number;
      const index = check & (SHARDS - 1);
      let shard = shards[index] as Shard;
      if (shard.count >= shard.homes * FULLEST) shard = put(index, rebuild(shard, columns, 1, time));

      let slot = locate(shard, tag, check);
      if (shard.cells[slot] !== tag) {
        for (let room = SPILL; !insert(shard, columns, slot, tag, check); room *= 2) {
          shard = put(index, rebuild(shard, columns, room, time));
          slot = locate(shard, tag, check);
        }
        size++;
      }
      const { cells, width } = shard;
      const heldUntil = unsigned(cells, width * 2 + slot);
      const heldValue = values && heldUntil > time ? unsigned(cells, width * 3 + slot) : 0;
      cells[width * 2 + slot] = Math.max(until, heldUntil);
      if (values) cells[width * 3 + slot] = Math.max(value, heldValue);
    },

    get(id) {
      if (size === 0) return 0;
      hash(id, fingerprint);
      const tag = toTag(fingerprint[0] as number);
      const check = fingerprint[1] as number;
      const shard = shards[check & (SHARDS - 1)] as Shard;
      const bit = toHome(tag, shard.homes * 8);
      if ((((shard.filter[bit >>> 5] as number) >>> (bit & 31)) & 1) === 0) return 0;
      const slot = locate(shard, tag, check);
      if (shard.cells[slot] !== tag) return 0;
      return values ? unsigned(shard.cells, shard.width * 3 + slot) : 1;
    },

    sweep(slots) {
      const time = now();
      let seen = 0;
      for (let n = 0; n < SHARDS && seen < slots; n++) {
        const shard = shards[nextToSweep] as Shard;
        if (countLive(shard, time) < shard.count) put(nextToSweep, rebuild(shard, columns, 0, time));
        seen += shard.width;
        nextToSweep = (nextToSweep + 1) % SHARDS;
      }
    },

    get size() {
      return size;
    },
  };
}

const toTag = (word: number) => Math.min(word, EMPTY - 1);

/** Spreads tags over `homes` places without changing their order. */
const toHome = (tag: number, homes: number) => ((tag + 2 ** 31) * (homes / 2 ** 32)) | 0;

const unsigned = (cells: Int32Array, at: number) => (cells[at] as number) >>> 0;

function createShard(entries: number, columns: number): Shard {
  const homes = Math.max(1, Math.ceil(entries / REBUILT));
  const width = homes + SPILL;
  const cells = new Int32Array(width * columns).fill(EMPTY, 0, width);
  return { cells, filter: new Int32Array(Math.ceil(homes / 4)), homes, width, count: 0 };
}

/** The slot of this fingerprint, or the one it would have to take. */
function locate({ cells, homes, width }: Shard, tag: number, check: number): number {
  let slot = toHome(tag, homes);
  while ((cells[slot] as number) < tag) slot++;
  while (cells[slot] === tag && cells[width + slot] !== check) slot++;
  return slot;
}

function fill(shard: Shard, slot: number, tag: number, check: number): void {
  shard.cells[slot] = tag;
  shard.cells[shard.width + slot] = check;
  const bit = toHome(tag, shard.homes * 8);
  shard.filter[bit >>> 5] = (shard.filter[bit >>> 5] as number) | (1 << (bit & 31));
  shard.count++;
}

/** Takes `slot`, pushing what stands there towards the next empty slot. False: that would be the last slot. */
function insert(shard: Shard, columns: number, slot: number, tag: number, check: number): boolean {
  const { cells, width } = shard;
  const empty = cells.indexOf(EMPTY, slot);
  if (empty === width - 1) return false;
  for (let column = 0; column < columns; column++) {
    const start = width * column + slot;
    cells.copyWithin(start + 1, start, width * column + empty);
    cells[start] = 0;
  }
  fill(shard, slot, tag, check);
  return true;
}

function countLive({ cells, width }: Shard, time: number): number {
  let live = 0;
  for (let slot = 0; slot < width; slot++) {
    if (cells[slot] !== EMPTY && unsigned(cells, width * 2 + slot) > time) live++;
  }
  return live;
}

/** A shard of what has not expired, with room for `more` entries. */
function rebuild(old: Shard, columns: number, more: number, time: number): Shard {
  const shard = createShard(countLive(old, time) + more, columns);
  let next = 0;
  for (let slot = 0; slot < old.width; slot++) {
    const tag = old.cells[slot] as number;
    if (tag === EMPTY || unsigned(old.cells, old.width * 2 + slot) <= time) continue;
    const target = Math.max(next, toHome(tag, shard.homes));
    next = target + 1;
    if (next === shard.width) return rebuild(old, columns, more * 2 + SPILL, time);
    fill(shard, target, tag, old.cells[old.width + slot] as number);
    for (let column = 2; column < columns; column++) {
      shard.cells[shard.width * column + target] = old.cells[old.width * column + slot] as number;
    }
  }
  return shard;
}
