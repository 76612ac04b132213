import { describe, expect, it } from "vitest";
import { settled } from "../../support/manual-time.ts";
import { createFrameReader, createReadersScene, parseFrame } from "./scene.ts";

describe("a poll of the feed", () => {
  it("returns a full frame, sorted, to a reader without a cursor", async () => {
    const { readers, request, append } = createReadersScene();
    append([3, 1, 2]);
    const frame = parseFrame(await readers.poll(request(), { wait: 1_000 }));
    expect(frame).toMatchObject({ isFull: true, isAwaited: false, fingerprints: [1, 2, 3], keyVersion: 1, held: 0 });
  });

  it("returns what is new after a cursor, as soon as there is something", async () => {
    const { readers, request, append, time } = createReadersScene();
    append([1]);
    const { cursor } = parseFrame(await readers.poll(request(), { wait: 0 }));
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
    const { readers, request, time, source } = createReadersScene();
    const { cursor } = parseFrame(await readers.poll(request(), { wait: 0 }));
    const poll = readers.poll(request({ after: cursor }), { wait: 5_000 });
    await settled();
    source.age = 12.4;
    await time.advance(5);
    const frame = parseFrame(await poll);
    expect(frame).toMatchObject({ isFull: false, count: 0, held: 5_000, age: 13, madeAt: 5_000, cursor });
  });
});

describe("a stream of the feed", () => {
  it("begins with a frame, and sends what is new 10 ms after it came", async () => {
    const { readers, request, append, time } = createReadersScene();
    append([1]);
    const stream = createFrameReader(await readers.stream(request()));
    expect(await stream.take()).toMatchObject([{ isFull: true, fingerprints: [1] }]);
    append([2]);
    await time.advance(0.009);
    expect(await stream.take()).toEqual([]);
    await time.advance(0.001);
    expect(await stream.take()).toMatchObject([{ isFull: false, fingerprints: [2], held: 0 }]);
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
    const { readers, request, append, time } = createReadersScene();
    const stream = createFrameReader(await readers.stream(request()));
    await stream.take();
    append([2], { isAwaited: true });
    await time.advance(0.002);
    expect(await stream.take()).toMatchObject([{ isAwaited: true, fingerprints: [2] }]);
    await time.advance(1.1);
    expect(await stream.take()).toMatchObject([{ isAwaited: false, count: 0 }]);
  });
});

describe("readers", () => {
  it("end when they are stopped", async () => {
    const { readers, request } = createReadersScene();
    const stream = createFrameReader(await readers.stream(request()));
    const [{ cursor } = { cursor: "" }] = await stream.take();
    await stream.take();
    const poll = readers.poll(request({ after: cursor }), { wait: 5_000 });
    poll.catch(() => {});
    await settled();
    readers.stop();
    await expect(poll).rejects.toMatchObject({ code: "unavailable" });
    await stream.take();
    expect([stream.isDone, stream.error]).toEqual([true, undefined]);
  });
});
