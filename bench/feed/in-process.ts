import { systemClock } from "../../src/core/runtime/clock.ts";
import { systemRandom } from "../../src/core/runtime/random.ts";
import { keepProcessAlive } from "../../src/core/runtime/schedule.ts";
import { createFeedReaders } from "../../src/revocation/readers/create-readers.ts";
import { toFingerprint } from "../../src/revocation/readers/frame.ts";
import { createReaderLeases } from "../../src/revocation/readers/reader-leases.ts";
import { createRecordLog } from "../../src/revocation/readers/record-log.ts";
import type { Harness } from "../harness/harness.ts";
import { toFigure } from "../harness/markdown.ts";
import { heldBytes } from "../harness/memory.ts";
import { quantile } from "../harness/statistics.ts";

/** The readers of a process, without a store and without HTTP. */
function createReaders() {
  const log = createRecordLog({ clock: systemClock });
  const source = {
    log,
    prepare: async () => {},
    age: () => 0,
    isFresh: () => true,
    keyVersion: () => 1,
    requireLease: async () => {},
  };
  const leases = createReaderLeases({ clock: systemClock });
  const readers = createFeedReaders({ source, leases, clock: systemClock, random: systemRandom, maxStreams: 10_000 });
  let records = 0;
  const append = (count: number) =>
    log.append(
      Array.from({ length: count }, () => ({
        ...{ fingerprint: toFingerprint("t", String(++records)), until: systemClock.now() + 1_800, value: 1 },
        ...{ position: null, isAwaited: false },
      })),
    );
  return { readers, append };
}

/** Measures what the readers alone take, in this process: streams, and the records. */
export async function measureInProcess(harness: Harness, sizes: readonly number[]): Promise<void> {
  const release = keepProcessAlive();
  const rows: string[][] = [];
  for (const size of sizes) rows.push(await measureStreams(size, harness.quick ? 10 : 50));
  const title = "Streams of one process, without HTTP: from a record until the streams have given it";
  harness.table(title, ["streams", "bytes held by each", "p50 ms", "last ms"], rows);
  harness.table(
    "Records for readers",
    ["records", "bytes each", "µs to append one", "ms to copy all"],
    [measureRecords(harness.quick ? 50_000 : 215_000), ...(harness.quick ? [] : [measureRecords(1_000_000)])],
  );
  release();
}

async function measureStreams(size: number, rounds: number): Promise<string[]> {
  const { readers, append } = createReaders();
  append(1_000);
  const before = heldBytes();
  let times: number[] = [];
  let done = () => {};
  async function consume(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) {
      if (chunk.length !== 80) continue;
      times.push(performance.now());
      if (times.length === size) done();
    }
  }
  for (let index = 0; index < size; index++) {
    const request = { lease: 10_000, reader: `reader ${index}`, arrivedAt: performance.now() };
    consume(await readers.stream(request)).catch(() => {});
  }
  const held = heldBytes() - before;
  const [medians, lasts]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    times = [];
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const startedAt = performance.now();
    append(1);
    await all;
    times.sort((a, b) => a - b);
    medians.push(quantile(times, 0.5) - startedAt);
    lasts.push(quantile(times, 1) - startedAt);
  }
  readers.stop();
  const median = (values: readonly number[]) =>
    toFigure(
      quantile(
        values.toSorted((a, b) => a - b),
        0.5,
      ),
    );
  return [size.toLocaleString("en"), toFigure(held / size), median(medians), median(lasts)];
}

function measureRecords(count: number): string[] {
  const before = heldBytes();
  const log = createRecordLog({ clock: systemClock });
  const empty = heldBytes();
  const startedAt = performance.now();
  for (let index = 0; index < count; index++) {
    const record = { fingerprint: toFingerprint("s", String(index)), until: systemClock.now() + 1_800, value: 1 };
    log.append([{ ...record, position: BigInt(index), isAwaited: false }]);
  }
  const appendedAt = performance.now();
  const held = heldBytes() - empty;
  const copyingAt = performance.now();
  const { length } = log.copyAll();
  const copiedAt = performance.now();
  if (length !== count * 16 || before === 0) throw new Error("records are missing");
  const figures = [held / count, ((appendedAt - startedAt) / count) * 1e3, copiedAt - copyingAt];
  return [count.toLocaleString("en"), ...figures.map(toFigure)];
}
