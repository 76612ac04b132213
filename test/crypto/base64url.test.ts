import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBase64url, toBase64url } from "../../src/crypto/base64url.ts";

describe("base64url", () => {
  it("is parsed to the bytes that it was made from", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(parseBase64url(toBase64url(bytes))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("encodes a view and not its whole buffer", () => {
    expect(toBase64url(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toBe("AgM");
  });

  it("accepts a text only if it is the canonical encoding of its bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."AB_-9z=+/ \n.é"), maxLength: 12 }), (text) => {
        const canonical = /^[\w-]*$/.test(text) && text === Buffer.from(text, "base64url").toString("base64url");
        expect(parseBase64url(text) !== null).toBe(canonical);
      }),
    );
  });

  it.each([
    ["padding", "AA=="],
    ["the alphabet of base64", "+/+/"],
    ["white space", "AA AA"],
    ["a line break at the end", "AAAA\n"],
    ["a length of 4k+1", "AAAAA"],
    ["unused bits after one byte", "AB"],
    ["unused bits after two bytes", "AAB"],
    ["letters beyond ASCII that share a low byte", "A\u0141AA"],
    ["a dot", "AA.A"],
  ])("refuses %s", (_, text) => {
    expect(parseBase64url(text)).toBeNull();
  });
});
