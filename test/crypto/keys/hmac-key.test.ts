import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { readVectors } from "../vectors.ts";

const algorithms = [
  { algorithm: "HS256", bytes: 32, file: "sha256" },
  { algorithm: "HS384", bytes: 48, file: "sha384" },
  { algorithm: "HS512", bytes: 64, file: "sha512" },
] as const;

interface MacVectors {
  readonly testGroups: readonly {
    readonly keySize: number;
    readonly tagSize: number;
    readonly tests: readonly { key: string; msg: string; tag: string; result: string; tcId: number }[];
  }[];
}

describe.each(algorithms)("an $algorithm key", ({ algorithm, bytes, file }) => {
  const key = createHmacKey({ algorithm, secret: "s".repeat(bytes) });

  it("verifies its own signature of a text and no other", () => {
    const signature = key.sign("a.b");
    expect(key.verify("a.b", signature)).toBe(true);
    expect(key.verify("a.c", signature)).toBe(false);
    expect(key.verify("a.b", key.sign("a.c"))).toBe(false);
  });

  it("refuses every signature that is not the canonical text of the MAC", () => {
    const signature = key.sign("a.b");
    const last = signature.length - 1;
    const others = [
      "",
      `${signature}=`,
      `${signature}A`,
      `${signature} `,
      signature.slice(0, last),
      signature.slice(0, last / 2),
      signature.toUpperCase(),
      `${String.fromCharCode(signature.charCodeAt(0) + 256)}${signature.slice(1)}`,
    ];
    for (const other of others) expect(key.verify("a.b", other)).toBe(false);
  });

  it(`needs a secret of ${bytes} bytes, and its error says how to create one`, () => {
    const short = "k".repeat(bytes - 1);
    expect(() => createHmacKey({ algorithm, secret: short })).toThrow(TypeError);
    expect(() => createHmacKey({ algorithm, secret: short })).toThrow(
      `signingKey must have at least ${bytes} bytes for ${algorithm}, got ${bytes - 1}`,
    );
    expect(() => createHmacKey({ algorithm, secret: short })).toThrow(`openssl rand -hex ${bytes}`);
    expect(() => createHmacKey({ algorithm, secret: new Uint8Array(bytes - 1) })).toThrow(TypeError);
  });

  it("counts the bytes of a secret, not its characters", () => {
    expect(createHmacKey({ algorithm, secret: "é".repeat(bytes / 2) }).algorithm).toBe(algorithm);
  });

  it("agrees with the Wycheproof vectors", (context) => {
    const vectors = readVectors<MacVectors>(`wycheproof/hmac_${file}_test.json`, context);
    let checked = 0;
    for (const { keySize, tagSize, tests } of vectors.testGroups) {
      if (keySize < bytes * 8) continue;
      for (const { key: secret, msg, tag, result, tcId } of tests) {
        const text = Buffer.from(msg, "hex").toString();
        // A signing input is text, so messages that are not UTF-8 can't be tested.
        if (Buffer.from(text).toString("hex") !== msg) continue;
        const vectorKey = createHmacKey({ algorithm, secret: Buffer.from(secret, "hex") });
        const accepted = vectorKey.verify(text, Buffer.from(tag, "hex").toString("base64url"));
        // A JWS has the whole MAC (RFC 7518 §3.2), never a truncated one.
        expect(accepted, `tc${tcId}`).toBe(result === "valid" && tagSize === bytes * 8);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(50);
  });
});

describe("an HMAC key", () => {
  const secret = "s".repeat(64);

  it("has a kid that depends only on algorithm and secret", () => {
    const kid = createHmacKey({ algorithm: "HS256", secret }).kid;
    expect(kid).toMatch(/^[0-9a-f]{16}$/);
    expect(createHmacKey({ algorithm: "HS256", secret: Buffer.from(secret) }).kid).toBe(kid);
    expect(createHmacKey({ algorithm: "HS384", secret }).kid).not.toBe(kid);
    expect(createHmacKey({ algorithm: "HS256", secret: `${secret}x` }).kid).not.toBe(kid);
  });

  it("has the kid that version 0.1 gave it", () => {
    // (printf 'HS256\0'; printf 's%.0s' $(seq 64)) | sha256sum | head -c 16
    expect(createHmacKey({ algorithm: "HS256", secret }).kid).toBe("77061b0ba01553a5");
  });

  it("can have a kid of your own, unless it is empty", () => {
    expect(createHmacKey({ algorithm: "HS256", secret, kid: "2026-01" }).kid).toBe("2026-01");
    expect(() => createHmacKey({ algorithm: "HS256", secret, kid: "" })).toThrow(TypeError);
  });

  it("doesn't change when the bytes that it was created from do", () => {
    const bytes = Buffer.from(secret);
    const key = createHmacKey({ algorithm: "HS256", secret: bytes });
    const before = key.sign("a.b");
    bytes.fill(0);
    expect(key.sign("a.b")).toBe(before);
  });

  it("shows no key material when printed", () => {
    const key = createHmacKey({ algorithm: "HS256", secret });
    expect(inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key)).not.toContain("sssss");
  });

  it("is not created for an unsupported algorithm", () => {
    for (const algorithm of ["none", "RS256", "hs256", "toString"]) {
      expect(() => createHmacKey({ algorithm: algorithm as "HS256", secret })).toThrow(TypeError);
    }
  });
});
