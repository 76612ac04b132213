import { createFeedReaders, type FeedReadersOptions } from "../../../src/revocation/readers/create-readers.ts";
import {
  type FeedRecord,
  headerLength,
  readHeader,
  readRecord,
  recordLength,
} from "../../../src/revocation/readers/frame.ts";
import { createReaderLeases } from "../../../src/revocation/readers/reader-leases.ts";
import type { PolledFrame, ReaderRequest } from "../../../src/revocation/readers/readers.ts";
import { createRecordLog } from "../../../src/revocation/readers/record-log.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";

/** Takes a frame apart. @throws Error if the bytes aren't one whole frame. */
export function parseFrame(frame: PolledFrame | Uint8Array) {
  const bytes = "parts" in frame ? Buffer.concat(frame.parts) : frame;
  const header = readHeader(bytes);
  if (header === null || bytes.length !== headerLength + header.count * recordLength) throw new Error("not a frame");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const at = (index: number) => headerLength + index * recordLength;
  const records: FeedRecord[] = Array.from({ length: header.count }, (_, index) => readRecord(view, at(index)));
  return { ...header, records, fingerprints: records.map(({ fingerprint }) => Number(fingerprint)) };
}

/** Reads frames from a stream, as many as have been sent. */
export function createFrameReader(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  let buffer = new Uint8Array(0);
  let isDone = false;
  let error: unknown;
  let isReading = false;

  async function readChunk(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      const { value, done } = await reader.read();
      if (done) isDone = true;
      else buffer = Buffer.concat([buffer, value]);
    } catch (reason) {
      error = reason;
      isDone = true;
    }
    isReading = false;
  }

  return {
    /** Returns the frames that have come since the last call. The reader then waits for the next one. */
    async take() {
      for (let before = -1; before !== buffer.length && !isDone; ) {
        before = buffer.length;
        void readChunk();
        await settled();
      }
      const frames: ReturnType<typeof parseFrame>[] = [];
      for (;;) {
        const header = readHeader(buffer);
        const length = headerLength + (header?.count ?? 0) * recordLength;
        if (header === null || buffer.length < length) return frames;
        frames.push(parseFrame(buffer.slice(0, length)));
        buffer = buffer.slice(length);
      }
    },
    cancel: () => reader.cancel(),
    get isDone() {
      return isDone;
    },
    get error() {
      return error;
    },
  };
}

/** Readers over a log that a test fills by hand. */
export function createReadersScene(options: Partial<FeedReadersOptions> = {}) {
  const time = createManualTime();
  const { clock, schedule } = time;
  const log = createRecordLog({ clock });
  const leases = createReaderLeases({ clock, schedule });
  const source = {
    log,
    age: 0,
    /** How often the age was asked for. */
    ages: 0,
    isFresh: true,
    keyVersion: 1,
    /** The leases that were asked for. */
    required: [] as number[],
    gate: Promise.resolve() as Promise<unknown>,
  };
  let bytes = 0;
  const create = () =>
    createFeedReaders({
      source: {
        log,
        prepare: async () => {},
        age() {
          source.ages += 1;
          return source.age;
        },
        isFresh: () => source.isFresh,
        keyVersion: () => source.keyVersion,
        async requireLease(lease) {
          source.required.push(lease);
          await source.gate;
        },
      },
      leases,
      clock,
      random: (size) => Buffer.alloc(size, ++bytes),
      maxStreams: 3,
      schedule,
      ...options,
    });
  const request = (more: Partial<ReaderRequest> = {}): ReaderRequest => ({
    lease: 10_000,
    arrivedAt: clock.monotonic(),
    ...more,
  });
  /** Appends records, one for each fingerprint. */
  const append = (fingerprints: readonly number[], more: { isAwaited?: boolean; position?: bigint | null } = {}) =>
    log.append(
      fingerprints.map((fingerprint) => ({
        ...{ fingerprint: BigInt(fingerprint), until: clock.now() + 300, value: 1, position: null, isAwaited: false },
        ...more,
      })),
    );
  return { time, clock, log, leases, source, create, readers: create(), request, append };
}
