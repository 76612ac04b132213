import { createHash } from "node:crypto";

/*
 * The binary form of the revocation feed over HTTP. The page docs/verifier/README.md specifies it; numbers are big-endian.
 */

/** The media type of frames. */
export const frameType = "application/vnd.tokenpair.revocations";

/** Bytes of a frame before its records. */
export const headerLength = 64;

/** Bytes of one record. */
export const recordLength = 16;

/** Bytes of a cursor. */
export const cursorLength = 32;

/** The most records that a frame may have. */
export const maxRecords = 2 ** 26;

const magic = 0x54505231;
const flagFull = 1;
const flagConfirm = 2;

/** One record of a frame: what was revoked, as a fingerprint. */
export interface FeedRecord {
  /** The first 8 bytes of SHA-256 of a text that names what was revoked, as an unsigned number. */
  readonly fingerprint: bigint;
  /** Until when a reader must know the record: whole seconds since the epoch. */
  readonly until: number;
  /** 1, or the epoch below which tokens are revoked. */
  readonly value: number;
}

/** What a frame says before its records. */
export interface FrameHeader {
  /** Whether the frame replaces everything that the reader holds. */
  readonly isFull: boolean;
  /** Whether a caller waits until the reader has applied the frame and acknowledged it. */
  readonly isAwaited: boolean;
  /** How many records follow. */
  readonly count: number;
  /** By how many milliseconds the sender's knowledge was behind the store when it made the frame. */
  readonly age: number;
  /** When the sender made the frame: milliseconds on its monotonic clock. */
  readonly madeAt: number;
  /** The version of the keys that the sender publishes: 32 bits. */
  readonly keyVersion: number;
  /** Milliseconds between the arrival of the request and this frame; 0 in later frames of a stream. */
  readonly held: number;
  /** Where the reader continues: 64 hexadecimal digits. */
  readonly cursor: string;
}

/**
 * Writes a header to the first 64 bytes of `target`.
 *
 * @param target at least 64 bytes.
 */
export function writeHeader(target: Uint8Array, header: FrameHeader): void {
  const view = new DataView(target.buffer, target.byteOffset, headerLength);
  view.setUint32(0, magic);
  view.setUint32(4, (header.isFull ? flagFull : 0) | (header.isAwaited ? flagConfirm : 0));
  view.setUint32(8, header.count);
  view.setUint32(12, Math.min(Math.max(0, Math.ceil(header.age)), 0xffff_ffff));
  view.setBigUint64(16, BigInt(Math.max(0, Math.floor(header.madeAt))));
  view.setUint32(24, header.keyVersion);
  target.set(Buffer.from(header.cursor, "hex").subarray(0, cursorLength), 32);
  writeHeld(target, header.held);
}

/** Writes `held` into a header. */
export function writeHeld(target: Uint8Array, held: number): void {
  const view = new DataView(target.buffer, target.byteOffset, headerLength);
  view.setUint32(28, Math.min(Math.max(0, Math.floor(held)), 0xffff_ffff));
}

/**
 * Reads a header.
 *
 * @param bytes at least 64 bytes that begin with it. Later bytes are ignored.
 * @returns `null` if the bytes aren't the header of a frame. Unknown flags are ignored.
 */
export function readHeader(bytes: Uint8Array): FrameHeader | null {
  if (bytes.length < headerLength) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  const flags = view.getUint32(4);
  const count = view.getUint32(8);
  const madeAt = Number(view.getBigUint64(16));
  if (view.getUint32(0) !== magic || count > maxRecords || madeAt > Number.MAX_SAFE_INTEGER) return null;
  return {
    isFull: (flags & flagFull) !== 0,
    isAwaited: (flags & flagConfirm) !== 0,
    count,
    age: view.getUint32(12),
    madeAt,
    keyVersion: view.getUint32(24),
    held: view.getUint32(28),
    cursor: Buffer.from(bytes.buffer, bytes.byteOffset + 32, cursorLength).toString("hex"),
  };
}

/** Returns whether bytes can be the beginning of a frame; true if they are too few to tell. */
export function isFrameStart(bytes: Uint8Array): boolean {
  return bytes.length < 4 || new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) === magic;
}

/** Writes a record to `target` at a byte. */
export function writeRecord(target: DataView, at: number, { fingerprint, until, value }: FeedRecord): void {
  target.setBigUint64(at, fingerprint);
  target.setUint32(at + 8, Math.min(until, 0xffff_ffff));
  target.setUint32(at + 12, Math.min(value, 0xffff_ffff));
}

/** Reads the record at a byte. */
export function readRecord(source: DataView, at: number): FeedRecord {
  return { fingerprint: source.getBigUint64(at), until: source.getUint32(at + 8), value: source.getUint32(at + 12) };
}

/** What a fingerprint is of: a session, one token, a user, an excepted session, or everything. */
export type FingerprintKind = "s" | "t" | "u" | "x" | "a";

/**
 * Returns the fingerprint of what is revoked: the first 8 bytes of SHA-256 of the kind, a colon and the id.
 *
 * @param id a `sid`, a `jti` or a user's id; empty for `a`.
 */
export function toFingerprint(kind: FingerprintKind, id: string): bigint {
  return toFingerprintBytes(kind, id).readBigUInt64BE(0);
}

/** As `toFingerprint`, in the first 8 of the bytes that are returned. */
export function toFingerprintBytes(kind: FingerprintKind, id: string): Buffer {
  return createHash("sha256").update(`${kind}:${id}`).digest();
}
