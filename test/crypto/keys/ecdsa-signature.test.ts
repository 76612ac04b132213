import { generateKeyPairSync, sign, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromDer, toDer } from "../../../src/crypto/keys/ecdsa-signature.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("an ECDSA signature in DER", () => {
  it("has numbers without leading zeros, but with one if they would be negative", () => {
    const der = (text: string) => hex(toDer(Buffer.from(text, "hex")));
    expect(der("0102")).toBe("3006020101020102");
    expect(der("00010002")).toBe("3006020101020102");
    expect(der("7fff0080")).toBe("300802027fff02020080");
    expect(der("80008000")).toBe("300a0203008000020300" + "8000");
    expect(der("00000000")).toBe("3006020100020100");
  });

  it("has a long length on P-521 only", () => {
    expect(hex(toDer(Buffer.alloc(64, 0xff))).slice(0, 8)).toBe("30460221");
    expect(hex(toDer(Buffer.alloc(96, 0xff))).slice(0, 8)).toBe("30660231");
    expect(hex(toDer(Buffer.alloc(132, 0xff))).slice(0, 10)).toBe("30818a0243");
  });

  it.each([32, 48, 66])("gives back the numbers of %i bytes", (size) => {
    const number = fc.uint8Array({ minLength: size, maxLength: size });
    fc.assert(
      fc.property(number, number, fc.nat({ max: size - 1 }), (r, s, zeros) => {
        r.fill(0, 0, zeros);
        const signature = Buffer.concat([r, s]);
        expect(hex(fromDer(toDer(signature), size))).toBe(hex(signature));
      }),
    );
  });

  it.each([
    ["P-256", 32],
    ["P-384", 48],
    ["P-521", 66],
  ] as const)("on %s is what node:crypto makes of it", (namedCurve, size) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
    for (let i = 0; i < 50; i++) {
      const message = Buffer.from(`message ${i}`);
      const der = sign("sha256", message, privateKey);
      const signature = fromDer(der, size);
      expect(hex(toDer(signature))).toBe(hex(der));
      expect(verify("sha256", message, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
    }
  });
});
