import { type FeedRecord, headerLength, readHeader, readRecord, recordLength } from "../revocation/readers/frame.ts";
import type { PolledFrame } from "../revocation/readers/readers.ts";

export { frameType } from "../revocation/readers/frame.ts";
export type { FeedReaders, PolledFrame, ReaderRequest } from "../revocation/readers/readers.ts";
export { toRegisteredLease } from "../revocation/readers/stream-time.ts";

/** A frame of the revocation feed, in a form for people. */
export interface ReadableFrame {
  /** Whether the frame replaces everything that the reader holds. */
  readonly full: boolean;
  /** By how many milliseconds the server's knowledge was behind its database. */
  readonly age_ms: number;
  /** The version of the public keys: 8 hexadecimal digits. */
  readonly keys: string;
  /** Where the reader continues. */
  readonly cursor: string;
  /** What was revoked. */
  readonly revocations: readonly ReadableRecord[];
}

/** A record of a frame, in a form for people. */
export interface ReadableRecord extends Omit<FeedRecord, "fingerprint"> {
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
}

/** Returns a frame in a form for people. @throws TypeError if the bytes aren't one frame. */
export function toReadableFrame({ parts }: PolledFrame): ReadableFrame {
  const frame = Buffer.concat(parts);
  const header = readHeader(frame);
  if (header === null || frame.length !== headerLength + header.count * recordLength)
    throw new TypeError("not a frame");
  const records = new DataView(frame.buffer, frame.byteOffset + headerLength, header.count * recordLength);
  return {
    full: header.isFull,
    age_ms: header.age,
    keys: header.keyVersion.toString(16).padStart(8, "0"),
    cursor: header.cursor,
    revocations: Array.from({ length: header.count }, (_, index) => toReadableRecord(records, index * recordLength)),
  };
}

function toReadableRecord(records: DataView, at: number): ReadableRecord {
  const { fingerprint, until, value } = readRecord(records, at);
  return { fingerprint: fingerprint.toString(16).padStart(16, "0"), until, value };
}
