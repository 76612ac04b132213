import { describe, expect, it } from "vitest";
import { createFrameParser } from "../../src/verifier/frame-parser.ts";
import { RequestFailure } from "../../src/verifier/request-failure.ts";
import { toBytes, vectors } from "./vectors-of-the-page.ts";

const frames = vectors.frames.filter(({ result }) => result === "frame").map(({ hex }) => toBytes(hex));
const stream = Buffer.concat(frames);
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("the parser of frames", () => {
  it.each(vectors.frames)("does with the vector as it says: $name", ({ hex, result, header, records }) => {
    const parser = createFrameParser();
    if (result === "invalid") {
      expect(() => parser.push(toBytes(hex))).toThrow(RequestFailure);
      return;
    }
    const [frame, ...more] = parser.push(toBytes(hex));
    expect(more).toEqual([]);
    expect(parser.isWithinFrame).toBe(result === "incomplete" && hex !== "");
    expect(frame === undefined).toBe(result === "incomplete");
    expect(frame?.header.cursor).toBe(header?.cursor);
    expect((frame?.records.length ?? 0) / 16).toBe(records?.length ?? 0);
  });

  it.each([1, 2, 7, 63, 64, 65, 100, 1_000])("finds every frame in pieces of %i bytes", (size) => {
    const parser = createFrameParser();
    const found = [];
    for (let at = 0; at < stream.length; at += size) found.push(...parser.push(stream.subarray(at, at + size)));
    expect(parser.isWithinFrame).toBe(false);
    expect(found.map(({ records }) => toHex(records))).toEqual(frames.map((frame) => toHex(frame.subarray(64))));
  });

  it("keeps nothing of a frame that isn't the frame's", () => {
    const parser = createFrameParser();
    const [first, second] = parser.push(Buffer.concat([frames[0] ?? stream, frames[0] ?? stream]));
    expect(toHex(first?.records ?? stream)).toBe(toHex(second?.records ?? stream));
    expect(first?.records).toHaveLength(64);
  });
});
