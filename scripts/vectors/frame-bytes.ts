import { createHash } from "node:crypto";

/** A record of a frame. */
export interface VectorRecord {
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly until: number;
  readonly value: number;
}

/** What a frame's header says. */
export interface VectorHeader {
  readonly full: boolean;
  readonly confirm: boolean;
  readonly count: number;
  readonly age: number;
  readonly t: number;
  /** 8 hexadecimal digits. */
  readonly keyVersion: string;
  readonly held: number;
  /** 64 hexadecimal digits. */
  readonly cursor: string;
}

/** What a frame is made from. Numbers that are left out are 0. */
export interface FrameParts extends Partial<Omit<VectorHeader, "count">> {
  readonly records?: readonly VectorRecord[];
  /** Other bits of the flags. */
  readonly flags?: number;
  /** Says another number than there are records. */
  readonly count?: number;
}

/** Returns the fingerprint of a text: 16 hexadecimal digits. */
export const fingerprintOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** Returns a record about what a text names. */
export const record = (text: string, until: number, value = 1): VectorRecord => ({
  fingerprint: fingerprintOf(text),
  until,
  value,
});

/** The cursor of most frames. */
export const cursor = "00112233445566778899aabbccddeeff000000000000000700000000000002f1";

/** Returns the header that a frame made from these parts has. */
export function headerOf({ records = [], flags: _, ...parts }: FrameParts): VectorHeader {
  const fallback = { full: false, confirm: false, age: 0, t: 0, keyVersion: "9f86d081", held: 0, cursor };
  return { ...fallback, count: records.length, ...parts };
}

/** Returns the bytes of a frame as hexadecimal digits. A full frame is sorted. */
export function toFrame(parts: FrameParts): string {
  const { full, confirm, count, age, t, keyVersion, held, cursor: position } = headerOf(parts);
  const flags = (full ? 1 : 0) | (confirm ? 2 : 0) | (parts.flags ?? 0);
  const four = (number: number) => number.toString(16).padStart(8, "0");
  const head = [four(0x54505231), four(flags >>> 0), four(count), four(age), t.toString(16).padStart(16, "0")];
  const records = sort(parts.records ?? [], full).map((r) => r.fingerprint + four(r.until) + four(r.value));
  return [...head, keyVersion, four(held), position, ...records].join("");
}

/** Returns records in the order of a frame. */
export function sort(records: readonly VectorRecord[], isFull: boolean): readonly VectorRecord[] {
  return isFull ? [...records].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)) : records;
}
