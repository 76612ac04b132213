import { describe, expect, it } from "vitest";
import { generateKeyMaterial } from "../../../src/crypto/keys/key-material.ts";

describe("a generated key", () => {
  it("has no kid that a command line would take for an option", () => {
    // One of 64 thumbprints begins with "-": without care, this finds one but for one time in 10,000.
    const kids = Array.from({ length: 600 }, () => generateKeyMaterial("EdDSA").kid);
    expect(kids.filter((kid) => kid.startsWith("-"))).toEqual([]);
  });
});
