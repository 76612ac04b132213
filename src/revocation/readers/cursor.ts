/*
 * A cursor has 32 bytes, which mean nothing to readers: 8 that name the process, 2 of the keys' version, 6 for the number of the last
 * record in the process's log, 8 that name the store's history, and 8 for the position up to which the store had been read.
 */

/** Where a reader continues. */
export interface Cursor {
  /** Random, and new for every process. */
  readonly process: bigint;
  /** The lower 16 bits of the keys' version when the frame was made. */
  readonly keys: number;
  /** The number of the last record that the reader has, in the log of that process. */
  readonly number: number;
  /** The first 8 bytes of SHA-256 of the name of the store's history; 0: none. */
  readonly history: bigint;
  /** The reader has every record at a lower position. */
  readonly horizon: bigint;
}

/** Returns 64 hexadecimal digits. */
export function toCursorText({ process, keys, number, history, horizon }: Cursor): string {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64BE(process, 0);
  bytes.writeUInt16BE(keys & 0xffff, 8);
  bytes.writeUIntBE(number, 10, 6);
  bytes.writeBigUInt64BE(history, 16);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, horizon), 24);
  return bytes.toString("hex");
}

/** Reads a cursor. Returns `null` if the text isn't one. */
export function parseCursorText(text: string): Cursor | null {
  if (!/^[0-9a-f]{64}$/.test(text)) return null;
  const bytes = Buffer.from(text, "hex");
  return {
    process: bytes.readBigUInt64BE(0),
    keys: bytes.readUInt16BE(8),
    number: bytes.readUIntBE(10, 6),
    history: bytes.readBigUInt64BE(16),
    horizon: bytes.readBigUInt64BE(24),
  };
}
