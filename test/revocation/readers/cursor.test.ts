import { describe, expect, it } from "vitest";
import { parseCursorText, toCursorText } from "../../../src/revocation/readers/cursor.ts";

const cursor = { process: 2n ** 64n - 1n, keys: 0xbeef, number: 2 ** 47 + 5, history: 7n, horizon: 2n ** 63n + 1n };

describe("the cursor of a reader", () => {
  it("is 64 hexadecimal digits from which all of it can be read", () => {
    const text = toCursorText(cursor);
    expect(text).toMatch(/^[0-9a-f]{64}$/);
    expect(parseCursorText(text)).toEqual(cursor);
  });

  it("has only the lower bits of the keys' version", () => {
    expect(parseCursorText(toCursorText({ ...cursor, keys: 0x12345678 }))?.keys).toBe(0x5678);
  });

  it.each(["", "0", "x".repeat(64), "a".repeat(63), "a".repeat(65), "A".repeat(64), `${"a".repeat(63)}\n`])(
    "is not %j",
    (text) => {
      expect(parseCursorText(text)).toBeNull();
    },
  );
});
