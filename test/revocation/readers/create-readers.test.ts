import { describe, expect, it } from "vitest";
import { toRegisteredLease, toStreamTime } from "../../../src/revocation/readers/stream-time.ts";
import { toWait } from "../../../src/revocation/registry-trust.ts";
import { settled } from "../../support/manual-time.ts";
import { createFrameReader, createReadersScene, parseFrame } from "./scene.ts";

type Scene = ReturnType<typeof createReadersScene>;

/** Polls without waiting. */
const pollNow = async ({ readers, request }: Scene, ...more: Parameters<Scene["request"]>) =>
  parseFrame(await readers.poll(request(...more), { wait: 0 }));

/** Opens a stream, and takes its first frame. */
async function openStream({ readers, request }: Scene, ...more: Parameters<Scene["request"]>) {
  const stream = createFrameReader(await readers.stream(request(...more)));
  const [first] = await stream.take();
  if (first === undefined) throw new Error("no frame");
  return { first, ...stream, take: stream.take, state: stream };
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("a poll of the feed", () => {
  it("returns a full frame, sorted, to a reader without a cursor", async () => {
    const scene = createReadersScene();
    scene.append([3, 1, 2]);
    const frame = await pollNow(scene);
    expect(frame).toMatchObject({ isFull: true, isAwaited: false, fingerprints: [1, 2, 3], keyVersion: 1, held: 0 });
  });

  it("returns the same bytes of a full frame to everyone", async () => {
    const { readers, request, append, time } = createReadersScene();
    append([3, 1, 2]);
    await time.advance(1);
    const poll = (arrivedAt: number) => readers.poll(request({ arrivedAt }), { wait: 0 });
    const [one, other] = [await poll(900), await poll(800)];
    expect(one.parts[1]).toBe(other.parts[1]);
    expect([parseFrame(one), parseFrame(other)]).toMatchObject([
      { held: 100, count: 3 },
      { held: 200, count: 3 },
    ]);
  });

  it("returns what is new after a cursor, as soon as there is something", async () => {
    const scene = createReadersScene();
    const { readers, request, append, time } = scene;
    append([1]);
    const { cursor } = await pollNow(scene);
    const poll = readers.poll(request({ after: cursor }), { wait: 5_000 });
    await time.advance(2);
    expect(readers.stats().polls).toBe(1);
    append([2]);
    append([3]);
    await time.advance(0.01);
    expect(parseFrame(await poll)).toMatchObject({ isFull: false, fingerprints: [2, 3], held: 2_010 });
    expect(readers.stats().polls).toBe(0);
  });

  it("returns an empty frame when the wait is over", async () => {
    const scene = createReadersScene();
    const { readers, request, time, source } = scene;
    const { cursor } = await pollNow(scene);
    const poll = readers.poll(request({ after: cursor }), { wait: 5_000 });
    await settled();
    source.age = 12.4;
    await time.advance(5);
    const frame = parseFrame(await poll);
    expect(frame).toMatchObject({ isFull: false, count: 0, held: 5_000, age: 13, madeAt: 5_000, cursor });
  });

  it("returns at once if the keys have changed since the last one, also on another node, and when they change", async () => {
    const scene = createReadersScene();
    const { readers, request, time, source, log } = scene;
    log.setPlace({ history: 1n, horizon: 1n });
    const { cursor } = await pollNow(scene);
    const other = scene.create();
    source.keyVersion = 2;
    const next = parseFrame(await readers.poll(request({ after: cursor }), { wait: 5_000 }));
    expect(next).toMatchObject({ keyVersion: 2, count: 0 });
    expect(parseFrame(await other.poll(request({ after: cursor }), { wait: 5_000 })).keyVersion).toBe(2);
    const poll = readers.poll(request({ after: next.cursor }), { wait: 5_000 });
    await time.advance(0.1);
    source.keyVersion = 3;
    await time.advance(0.05);
    expect(parseFrame(await poll).keyVersion).toBe(3);
  });

  it("ends with the signal's reason, and when the readers are stopped", async () => {
    const scene = createReadersScene();
    const { readers, request } = scene;
    const { cursor } = await pollNow(scene);
    const controller = new AbortController();
    const poll = () => readers.poll(request({ after: cursor }), { wait: 5_000, signal: controller.signal });
    const [aborted, stopped] = [poll(), readers.poll(request({ after: cursor }), { wait: 5_000 })];
    await settled();
    controller.abort(new Error("gone"));
    await expect(aborted).rejects.toThrow("gone");
    await expect(poll()).rejects.toThrow("gone");
    readers.stop();
    await expect(stopped).rejects.toMatchObject({ code: "unavailable" });
    expect(readers.stats().polls).toBe(0);
  });

  it("is refused while the node is stale, and if too many wait", async () => {
    const scene = createReadersScene();
    const { readers, request, source } = scene;
    const { cursor } = await pollNow(scene);
    const poll = () => readers.poll(request({ after: cursor }), { wait: 5_000 });
    const waiting = [poll(), poll(), poll()];
    for (const each of waiting) each.catch(() => {});
    await settled();
    await expect(poll()).rejects.toMatchObject({ code: "throttled", retryAfter: 1 });
    readers.stop();
    source.isFresh = false;
    await expect(pollNow(scene)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("a stream of the feed", () => {
  it("begins with a frame, and sends what is new 10 ms after it came", async () => {
    const scene = createReadersScene();
    const { append, time } = scene;
    append([1]);
    const stream = await openStream(scene);
    expect(stream.first).toMatchObject({ isFull: true, fingerprints: [1] });
    append([2]);
    await time.advance(0.009);
    expect(await stream.take()).toEqual([]);
    await time.advance(0.001);
    expect(await stream.take()).toMatchObject([{ isFull: false, fingerprints: [2], held: 0 }]);
  });

  it("begins with an empty frame at once if the reader has everything", async () => {
    const scene = createReadersScene();
    scene.append([1]);
    const { cursor } = await pollNow(scene);
    await scene.time.advance(3);
    const { first } = await openStream(scene, { after: cursor, arrivedAt: 2_500 });
    expect(first).toMatchObject({ isFull: false, count: 0, held: 500, madeAt: 3_000 });
  });

  it("sends empty frames more often than every second to a reader with a short lease", async () => {
    const { readers, request, time } = createReadersScene();
    const stream = createFrameReader(await readers.stream(request({ lease: 1_000 })));
    await stream.take();
    await time.advance(0.2);
    expect(await stream.take()).toEqual([]);
    await time.advance(0.1);
    expect(await stream.take()).toMatchObject([{ isFull: false, count: 0 }]);
  });

  it("sends an awaited record after 2 ms, and says that it is awaited", async () => {
    const scene = createReadersScene();
    const stream = await openStream(scene);
    scene.append([2], { isAwaited: true });
    await scene.time.advance(0.002);
    expect(await stream.take()).toMatchObject([{ isAwaited: true, fingerprints: [2] }]);
    await scene.time.advance(1.1);
    expect(await stream.take()).toMatchObject([{ isAwaited: false, count: 0 }]);
  });

  it("sends an empty frame about every second, and none soon after another frame", async () => {
    const scene = createReadersScene();
    const { time, append, source } = scene;
    const stream = await openStream(scene);
    const times: number[] = [];
    for (let i = 0; i < 600; i++) {
      await time.advance(0.1);
      for (const { madeAt } of await stream.take()) times.push(madeAt);
    }
    const gaps = times.slice(1).map((at, index) => at - (times[index] as number));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(900);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_100);
    source.age = 250;
    append([1]);
    await time.advance(0.01);
    expect(await stream.take()).toMatchObject([{ count: 1, age: 250 }]);
    await time.advance(0.8);
    expect(await stream.take()).toEqual([]);
  });

  it("tells of other keys within 50 ms", async () => {
    const scene = createReadersScene();
    const stream = await openStream(scene);
    await scene.time.advance(0.2);
    scene.source.keyVersion = 9;
    await scene.time.advance(0.05);
    expect(await stream.take()).toMatchObject([{ keyVersion: 9, count: 0 }]);
  });

  it("says how old the node's knowledge is, also when that is too old for new readers", async () => {
    const scene = createReadersScene();
    const stream = await openStream(scene);
    scene.source.isFresh = false;
    scene.source.age = Number.POSITIVE_INFINITY;
    await scene.time.advance(1.1);
    expect(await stream.take()).toMatchObject([{ age: 0xffff_ffff }]);
    await expect(scene.readers.stream(scene.request())).rejects.toMatchObject({ code: "unavailable" });
  });

  it("gives a slow reader everything since its last frame in one, or all if that is shorter", async () => {
    const scene = createReadersScene();
    const { append, time, log } = scene;
    append(range(1, 10));
    const stream = await openStream(scene);
    // The reader waits for one frame, and then takes nothing for a while.
    for (const i of range(11, 15)) {
      append([i]);
      await time.advance(0.02);
    }
    const frames = await stream.take();
    expect(frames.map(({ fingerprints }) => fingerprints)).toEqual([[11], range(12, 15)]);
    for (const value of range(2, 20)) {
      log.append([
        ...[{ fingerprint: 1n, until: scene.clock.now() + 300, value, position: null, isAwaited: false }],
        ...[{ fingerprint: 2n, until: scene.clock.now() + 300, value, position: null, isAwaited: false }],
      ]);
      await time.advance(0.02);
    }
    const [first, second] = await stream.take();
    expect(first).toMatchObject({ isFull: false, fingerprints: [1, 2] });
    expect(second).toMatchObject({ isFull: true, fingerprints: range(1, 15) });
  });

  it("sends a long frame in pieces, each when the reader wants one, and the same bytes to everyone", async () => {
    const scene = createReadersScene();
    scene.append(range(1, 20_000));
    const open = async () => (await scene.readers.stream(scene.request())).getReader();
    const [one, other] = [await open(), await open()];
    const lengths: number[] = [];
    const buffers = new Set<ArrayBufferLike>();
    for (let left = 64 + 20_000 * 16; left > 0; left -= lengths.at(-1) as number) {
      for (const reader of [one, other]) {
        const { value = new Uint8Array() } = await reader.read();
        lengths.push(value.length);
        buffers.add(value.buffer);
      }
    }
    expect(lengths.slice(0, 4)).toEqual([64, 64, 65_536, 65_536]);
    // The header, which is the same too, and the records.
    expect(buffers.size).toBe(2);
  });

  it("makes a frame once for all readers at the same position", async () => {
    const scene = createReadersScene();
    const streams = [await openStream(scene), await openStream(scene), await openStream(scene)];
    scene.append([1]);
    scene.source.age = 1;
    await scene.time.advance(0.01);
    const before = scene.source.ages;
    for (const stream of streams) expect(await stream.take()).toMatchObject([{ fingerprints: [1], age: 1 }]);
    expect(scene.source.ages).toBe(before);
    expect(scene.readers.stats()).toMatchObject({ streams: 3, records: 1 });
  });

  it("never has more than one frame under way for a reader that takes nothing, and ends it after its lease", async () => {
    const scene = createReadersScene();
    const { readers, request, append, time } = scene;
    append(range(1, 10_000));
    const reader = (await readers.stream(request())).getReader();
    await reader.read();
    const { bytes } = readers.stats();
    for (const i of range(1, 100)) {
      append([10_000 + i]);
      await time.advance(0.1);
    }
    expect(readers.stats().bytes).toBe(bytes);
    expect(readers.stats().streams).toBe(1);
    await time.advance(5.1);
    expect(readers.stats().streams).toBe(0);
    await expect(reader.read()).rejects.toThrow("has not taken");
  });

  it("doesn't end a slow reader that takes a long frame piece by piece", async () => {
    const scene = createReadersScene();
    scene.append(range(1, 50_000));
    const reader = (await scene.readers.stream(scene.request({ lease: 1_000 }))).getReader();
    let bytes = 0;
    while (bytes < 64 + 50_000 * 16) {
      bytes += (await reader.read()).value?.length ?? 0;
      await scene.time.advance(5);
    }
    expect(scene.readers.stats().streams).toBe(1);
  });

  it("is closed when its time is over, and gets no frame after that, although there is news", async () => {
    const scene = createReadersScene();
    const { time, readers, request, append } = scene;
    const lease = 250;
    const waiting = await openStream(scene, { lease });
    const taking = (await readers.stream(request({ lease }))).getReader();
    await taking.read();
    for (let i = 0; i < 4; i++) {
      const read = taking.read();
      await time.advance(2.9);
      await read;
      await waiting.take();
    }
    expect(readers.stats().streams).toBe(2);
    for (let i = 0; i < 12; i++) {
      await time.advance(0.05);
      await waiting.take();
    }
    append([1]);
    expect(readers.stats().streams).toBe(1);
    expect(await taking.read()).toEqual({ done: true, value: undefined });
    await waiting.take();
    expect([waiting.state.isDone, waiting.state.error]).toEqual([true, undefined]);
    expect(readers.stats().streams).toBe(0);
  });

  it("is refused if too many are open, and ends when its signal aborts, the reader leaves, or the readers are stopped", async () => {
    const scene = createReadersScene();
    const { readers, request } = scene;
    const controller = new AbortController();
    const aborted = createFrameReader(await readers.stream(request(), controller.signal));
    const [left, stopped] = [await openStream(scene), await openStream(scene)];
    await expect(readers.stream(request())).rejects.toMatchObject({ code: "throttled", retryAfter: 1 });
    await aborted.take();
    controller.abort();
    await aborted.take();
    expect([aborted.isDone, aborted.error]).toEqual([true, undefined]);
    await left.cancel();
    expect(readers.stats().streams).toBe(1);
    await stopped.take();
    readers.stop();
    await stopped.take();
    expect([stopped.state.isDone, stopped.state.error]).toEqual([true, undefined]);
    expect(readers.stats()).toMatchObject({ streams: 0, lag: 0 });
    await expect(readers.stream(request())).rejects.toMatchObject({ code: "unavailable" });
    await scene.time.advance(60);
    expect(scene.time.pending).toBe(0);
  });

  it("reports how far the slowest reader is behind", async () => {
    const scene = createReadersScene();
    const { readers, request, append, time } = scene;
    expect(readers.stats()).toEqual({ streams: 0, polls: 0, bytes: 0, records: 0, lag: 0 });
    append(range(1, 10_000));
    await (await readers.stream(request())).getReader().read();
    const fast = await openStream(scene);
    for (let i = 0; i < 30; i++) {
      await time.advance(0.1);
      await fast.take();
    }
    expect(readers.stats().lag).toBe(3_000);
  });
});

describe("the cursor of a reader", () => {
  it.each([undefined, "", "nonsense", "f".repeat(64)])("gives a full frame if it is %j", async (after) => {
    const scene = createReadersScene();
    scene.append([1, 2]);
    expect(await pollNow(scene, { after })).toMatchObject({ isFull: true, fingerprints: [1, 2] });
  });

  it("continues on another node where the store was read up to, with what that node knows and the reader may lack", async () => {
    const scene = createReadersScene();
    const { append, log, request } = scene;
    append([1, 2], { position: 4n });
    append([3], { position: 6n });
    log.setPlace({ history: 1n, horizon: 5n });
    const { cursor } = await pollNow(scene);
    const other = scene.create();
    append([4], { position: null });
    append([5], { position: 5n });
    const next = parseFrame(await other.poll(request({ after: cursor }), { wait: 5_000 }));
    expect(next).toMatchObject({ isFull: false, fingerprints: [3, 4, 5] });
    append([6], { position: 7n });
    const last = parseFrame(await other.poll(request({ after: next.cursor }), { wait: 5_000 }));
    expect(last).toMatchObject({ isFull: false, fingerprints: [6] });
  });

  it("gives a full frame on a node of another history, and on one that hasn't read the store to the end", async () => {
    const scene = createReadersScene();
    const { append, log, request } = scene;
    append([1, 2], { position: 4n });
    const early = await pollNow(scene);
    log.setPlace({ history: 1n, horizon: 5n });
    const { cursor } = await pollNow(scene);
    log.setPlace({ history: 2n, horizon: 5n });
    const other = scene.create();
    for (const after of [early.cursor, cursor]) {
      expect(parseFrame(await other.poll(request({ after }), { wait: 0 }))).toMatchObject({ isFull: true });
    }
    // The process itself still knows what it has sent.
    expect(await pollNow(scene, { after: cursor })).toMatchObject({ isFull: false, count: 0 });
  });

  it("gives a full frame if nearly everything is new, and what is new to a reader that was away for long", async () => {
    const scene = createReadersScene();
    const { append, log } = scene;
    append(range(1, 60_000), { position: 1n });
    log.setPlace({ history: 1n, horizon: 2n });
    const { cursor } = await pollNow(scene);
    append(range(60_001, 60_000 + 2 ** 15 + 1), { position: 2n });
    const next = await pollNow(scene, { after: cursor });
    expect(next).toMatchObject({ isFull: false, count: 2 ** 15 + 1 });
    append(range(1, 100), { position: 3n });
    expect(await pollNow(scene, { after: next.cursor })).toMatchObject({ isFull: false, count: 0 });
  });

  it("gives a copy of everything that is a second old at most, and what has come since with the next frame", async () => {
    const scene = createReadersScene();
    const { append, time, source } = scene;
    append(range(1, 100));
    source.age = 10;
    await pollNow(scene);
    await time.advance(0.9);
    append([101]);
    source.age = 20;
    const frame = await pollNow(scene);
    expect(frame).toMatchObject({ isFull: true, count: 100, age: 910, madeAt: 900 });
    expect(await pollNow(scene, { after: frame.cursor })).toMatchObject({ fingerprints: [101], age: 20 });
    await time.advance(0.2);
    expect(await pollNow(scene)).toMatchObject({ isFull: true, count: 101, age: 20 });
    // Nothing has come since: the copy is as good as a new one.
    await time.advance(0.9);
    expect(await pollNow(scene)).toMatchObject({ isFull: true, count: 101, age: 20 });
  });

  it("never gives a copy without a record that somebody waits for", async () => {
    const scene = createReadersScene();
    scene.append(range(1, 100));
    await pollNow(scene);
    scene.append([101], { isAwaited: true });
    expect(await pollNow(scene)).toMatchObject({ isFull: true, count: 101, isAwaited: true });
  });
});

describe("the lease of a reader", () => {
  it("is required before the first frame is made, with what the clocks may differ", async () => {
    const scene = createReadersScene();
    const { readers, request, source, leases } = scene;
    let open = () => {};
    source.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const poll = readers.poll(request({ lease: 2_000 }), { wait: 0 });
    const stream = readers.stream(request({ lease: 3_000 }));
    await settled();
    expect(source.required).toEqual([toRegisteredLease(2_000), toRegisteredLease(3_000)]);
    expect(leases.areOver()).toBe(true);
    scene.append([1]);
    open();
    expect(parseFrame(await poll)).toMatchObject({ count: 1 });
    expect(leases.areOver()).toBe(false);
    await (await stream).cancel();
  });

  it("is refused if the node is stale by then", async () => {
    const scene = createReadersScene();
    scene.source.gate = Promise.resolve().then(() => {
      scene.source.isFresh = false;
    });
    await expect(pollNow(scene)).rejects.toMatchObject({ code: "unavailable" });
    scene.source.isFresh = true;
    scene.source.gate = Promise.reject(new Error("the database is away"));
    await expect(pollNow(scene)).rejects.toThrow("away");
  });

  it("decides how long a stream lasts: a quarter of an hour, or sixty leases", () => {
    const times = [1_000, 10_000, 60_000].map((lease) =>
      [0, 0.5, 1].map((chance) => Math.round(toStreamTime(lease, chance) / 1_000)),
    );
    expect(times).toEqual([
      [48, 60, 72],
      [480, 600, 720],
      [720, 900, 1_080],
    ]);
  });

  it("covers a stream for as long as it lasts", () => {
    expect(toRegisteredLease(10_000)).toBe(10_720);
    expect(toRegisteredLease(1_000)).toBe(1_072);
    expect(toRegisteredLease(3_600_000)).toBe(3_601_080);
  });

  it("is noted for every frame: a record isn't known until it is acknowledged", async () => {
    const scene = createReadersScene();
    const { readers, leases, log, append, time } = scene;
    const stream = await openStream(scene, { reader: "a" });
    append([1], { isAwaited: true });
    const known = leases.whenKnown(log.lastAwaited);
    let isKnown = false;
    known?.then(() => {
      isKnown = true;
    });
    await time.advance(0.002);
    const [frame] = await stream.take();
    readers.acknowledge("a", stream.first.cursor);
    readers.acknowledge("b", frame?.cursor ?? "");
    readers.acknowledge("a", "f".repeat(64));
    readers.acknowledge("a", "nonsense");
    await settled();
    expect(isKnown).toBe(false);
    readers.acknowledge("a", frame?.cursor ?? "");
    await settled();
    expect(isKnown).toBe(true);
  });

  it("counts the next poll's cursor as an acknowledgement, and that of another process as none", async () => {
    const scene = createReadersScene();
    const { leases, log, append } = scene;
    const isKnown = () => leases.whenKnown(log.end) === null;
    const first = await pollNow(scene, { reader: "a" });
    append([1], { isAwaited: true });
    const second = await pollNow(scene, { reader: "a", after: first.cursor });
    const other = scene.create();
    await other.poll(scene.request({ reader: "a", after: second.cursor }), { wait: 0 });
    expect(isKnown()).toBe(false);
    await pollNow(scene, { reader: "a", after: second.cursor });
    await settled();
    // Once the waits above are over.
    expect(isKnown()).toBe(true);
  });

  it("ends for a reader that doesn't acknowledge when the last frame without the record is too old", async () => {
    const scene = createReadersScene();
    const { leases, log, append, time } = scene;
    const stream = await openStream(scene, { reader: "a" });
    append([1], { isAwaited: true });
    let isKnown = false;
    leases.whenKnown(log.lastAwaited)?.then(() => {
      isKnown = true;
    });
    for (let i = 0; i < 10; i++) {
      await time.advance(1);
      await stream.take();
    }
    expect(isKnown).toBe(false);
    await time.advance(toWait(10_000) / 1_000 - 9.98);
    expect(isKnown).toBe(true);
  });
});
