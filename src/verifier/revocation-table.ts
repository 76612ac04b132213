import { recordLength } from "../revocation/readers/frame.ts";

/** The first 8 bytes of a hash, as two signed 32-bit numbers. */
export interface RecordFingerprint {
  readonly high: number;
  readonly low: number;
}

/** The records of the revocation feed by fingerprint, in one typed array: 21 to 32 bytes a record. */
export interface RevocationTable {
  /**
   * Adds the records of a frame. One that is there already keeps the larger value and the later time. A value of 0 says nothing.
   *
   * @param records 16 bytes each.
   * @returns whether that has changed anything.
   */
  add(records: Uint8Array): boolean;
  /** Returns the value of a record; 0 if there is none. */
  get(fingerprint: RecordFingerprint): number;
  /**
   * Removes the records in the next part of the table whose `until` is not after a time.
   *
   * @param places how many places of the table are looked at.
   */
  sweep(time: number, places: number): void;
  /** Returns all records in the order of their fingerprints, as a full frame has them. */
  toRecords(): Uint8Array;
  /** How many records there are. */
  readonly size: number;
}

/** The cells of a place. An empty place has the value 0. */
const [highCell, lowCell, untilCell, valueCell, columns] = [0, 1, 2, 3, 4] as const;

/** The load beyond which the table is rebuilt, and its load after that. A first frame may fill it to the most. */
const maxLoad = 0.75;
const rebuiltLoad = 0.5;

const smallest = 16;

/** Returns a cell that is an unsigned number. */
const unsigned = (cell: number | undefined) => (cell as number) >>> 0;

/** Creates an empty table. Open addressing with linear probing. */
export function createRevocationTable(): RevocationTable {
  let capacity = smallest;
  let cells = new Int32Array(capacity * columns);
  let scale = capacity / 2 ** 32;
  let size = 0;
  let nextToSweep = 0;

  /**
   * Returns the first cell of the place to which a fingerprint belongs. SHA-256 has spread it already. By its second half: frames are
   * in the order of the first, so that neighbours would get neighbouring places.
   */
  const toHome = (low: number) => Math.floor(unsigned(low) * scale) * columns;
  const toNext = (place: number) => (place + columns === cells.length ? 0 : place + columns);
  const isFree = (place: number) => cells[place + valueCell] === 0;

  /** Returns the place of a fingerprint or, if it isn't there, the free place for it. */
  function locate(high: number, low: number): number {
    const table = cells;
    let place = toHome(low);
    while (table[place + valueCell] !== 0 && (table[place] !== high || table[place + lowCell] !== low)) {
      place += columns;
      if (place === table.length) place = 0;
    }
    return place;
  }

  /** Returns whether that has changed anything. */
  function put(high: number, low: number, until: number, value: number): boolean {
    const place = locate(high, low);
    const isLater = unsigned(until) > unsigned(cells[place + untilCell]);
    const isLarger = unsigned(value) > unsigned(cells[place + valueCell]);
    if (isFree(place)) {
      cells[place] = high;
      cells[place + lowCell] = low;
      size += 1;
    }
    if (isLater) cells[place + untilCell] = until;
    if (isLarger) cells[place + valueCell] = value;
    return isLater || isLarger;
  }

  function rebuild(records: number): void {
    const old = cells;
    capacity = Math.max(smallest, Math.ceil(records / (size === 0 ? maxLoad : rebuiltLoad)));
    cells = new Int32Array(capacity * columns);
    scale = capacity / 2 ** 32;
    nextToSweep = 0;
    for (let at = 0; at < old.length; at += columns) {
      if (old[at + valueCell] === 0) continue;
      const place = locate(old[at + highCell] as number, old[at + lowCell] as number);
      cells.set(old.subarray(at, at + columns), place);
    }
  }

  /** Empties a place, and moves those after it that were pushed away from their home. */
  function remove(place: number): void {
    let hole = place;
    for (let next = toNext(hole); !isFree(next); next = toNext(next)) {
      const home = toHome(cells[next + lowCell] as number);
      const isBehindHole = hole <= next ? hole < home && home <= next : hole < home || home <= next;
      if (isBehindHole) continue;
      cells.copyWithin(hole, next, next + columns);
      hole = next;
    }
    cells.fill(0, hole, hole + columns);
    size -= 1;
  }

  return {
    add(records) {
      const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
      const most = size + records.length / recordLength;
      if (most > capacity * maxLoad) rebuild(most);
      let hasChanged = false;
      for (let at = 0; at < view.byteLength; at += recordLength) {
        const value = view.getInt32(at + 12);
        if (value === 0) continue;
        if (put(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), value)) hasChanged = true;
      }
      return hasChanged;
    },

    get: ({ high, low }) => (size === 0 ? 0 : unsigned(cells[locate(high, low) + valueCell])),

    sweep(time, places) {
      for (let seen = 0; seen < Math.min(places, capacity); seen += 1) {
        // What is moved into this place is looked at, too.
        while (!isFree(nextToSweep) && unsigned(cells[nextToSweep + untilCell]) <= time) remove(nextToSweep);
        nextToSweep = toNext(nextToSweep);
      }
      if (capacity > smallest && size < capacity / 8) rebuild(size);
    },

    toRecords() {
      const fingerprints = new BigUint64Array(size);
      let found = 0;
      for (let at = 0; at < cells.length; at += columns) {
        if (isFree(at)) continue;
        fingerprints[found] = (BigInt(unsigned(cells[at + highCell])) << 32n) | BigInt(unsigned(cells[at + lowCell]));
        found += 1;
      }
      const view = new DataView(new ArrayBuffer(size * recordLength));
      for (const [i, fingerprint] of fingerprints.sort().entries()) {
        const at = i * recordLength;
        view.setBigUint64(at, fingerprint);
        const place = locate(view.getInt32(at), view.getInt32(at + 4));
        view.setInt32(at + 8, cells[place + untilCell] as number);
        view.setInt32(at + 12, cells[place + valueCell] as number);
      }
      return new Uint8Array(view.buffer);
    },

    get size() {
      return size;
    },
  };
}
