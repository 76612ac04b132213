import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSameText } from "../../src/crypto/same-text.ts";

const texts = fc.string({ unit: "binary" });

describe("the comparison of secrets", () => {
  it("returns what === returns", () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(isSameText(a, b)).toBe(a === b);
        expect(isSameText(a, `${a}`)).toBe(true);
      }),
    );
  });

  it("finds a difference of one bit, at any position", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), fc.nat(), fc.nat({ max: 15 }), (a, position, bit) => {
        const i = position % a.length;
        const other = a.slice(0, i) + String.fromCharCode(a.charCodeAt(i) ^ (1 << bit)) + a.slice(i + 1);
        expect(isSameText(a, other)).toBe(false);
      }),
    );
  });
});
