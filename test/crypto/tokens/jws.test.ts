import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../../src/crypto/keys/key-set.ts";
import { toProtectedHeader } from "../../../src/crypto/keys/signing-key.ts";
import { signCompact, verifyCompact } from "../../../src/crypto/tokens/jws.ts";
import { forge, goodHeader, key, keys, signText, toCode, toRefusal } from "../forge.ts";

const verify = (token: string) => verifyCompact(token, keys).payload;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const token = signCompact({ sub: "alice", exp: 2_000_000_000 }, key);

/** Returns `token` with one part changed and the old signature. */
function withPart(index: number, change: (part: string) => string): string {
  return token
    .split(".")
    .map((part, i) => (i === index ? change(part) : part))
    .join(".");
}

describe("a compact JWS", () => {
  it("is verified to the payload that was signed", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (payload) => {
        const json = JSON.parse(JSON.stringify(payload));
        expect(verify(signCompact(payload, key))).toEqual(json);
      }),
    );
  });

  it("has a header with alg, typ and kid", () => {
    const header = (text: string) => JSON.parse(Buffer.from(text.split(".")[0] ?? "", "base64url").toString());
    expect(header(token)).toEqual({ alg: "HS256", typ: "JWT", kid: "k1" });
    const accessHeader = toProtectedHeader("HS256", "at+jwt", "k1");
    expect(header(signCompact({}, key, accessHeader))).toEqual({ alg: "HS256", typ: "at+jwt", kid: "k1" });
  });

  it("is verified with any key of the set, and with no other key", () => {
    const next = createHmacKey({ algorithm: "HS512", secret: "n".repeat(64) });
    expect(verifyCompact(token, createKeySet({ access: next, others: [key] })).payload).toEqual(verify(token));
    expect(toCode(() => verifyCompact(token, createKeySet({ access: next })))).toBe("token_invalid");
  });

  it("is not signed if it would be too long to be accepted", () => {
    const fits = signCompact({ text: "x".repeat(6_000) }, key);
    expect(verify(fits)).toEqual({ text: "x".repeat(6_000) });
    expect(() => signCompact({ text: "x".repeat(6_100) }, key)).toThrow(TypeError);
  });
});

describe("the form of a token", () => {
  const [header = "", payload = "", signature = ""] = token.split(".");

  it.each([
    ["nothing", ""],
    ["one part", header],
    ["two parts", `${header}.${payload}`],
    ["dots only", ".."],
    ["an empty header", `.${payload}.${signature}`],
    ["an empty payload", signText(`${header}.`)],
    ["an empty signature", `${header}.${payload}.`],
    ["a fourth part", `${token}.${signature}`],
    ["an empty fourth part", `${token}.`],
    ["five parts, as in a JWE", `${token}.${payload}.${signature}`],
    ["a dot before it", `.${token}`],
    ["white space before it", ` ${token}`],
    ["white space after it", `${token} `],
    ["a line break after it", `${token}\n`],
    ["a NUL after it", `${token}\0`],
    ["the JSON serialization", JSON.stringify({ protected: header, payload, signature })],
    ["padding on the payload, signed", signText(`${header}.e30=`)],
    ["padding on the signature", `${token}=`],
    ["white space in the payload, signed", signText(`${header}.e 30`)],
    ["the alphabet of base64, signed", signText(`${header}.eyJhIjoiPz8+In0`.replace("8-", "8+"))],
    ["letters beyond ASCII, signed", signText(`${header}.e3\u0130`)],
    ["unused bits in the payload, signed", signText(`${header}.e31`)],
    ["a length of 4k+1, signed", signText(`${header}.e30AA`)],
    [
      "unused bits in the header, signed",
      signText(`${Buffer.from('{"alg":"HS256"}  ').toString("base64url").replace(/.$/, "B")}.e30`),
    ],
    ["more than 8 KiB", forge({ text: "x".repeat(8_000) })],
  ])("is refused with %s", (_, text) => {
    expect(toCode(() => verify(text))).toBe("token_invalid");
  });

  it("is checked for empty parts before anything else", () => {
    for (const text of [`.${payload}.${signature}`, signText(`${header}.`), ".."]) {
      expect(toRefusal(() => verify(text))?.reason).toBe("token does not have three parts");
    }
  });

  it("can be 8 KiB long and not one character longer", () => {
    const length = (8_192 - (header.length + 2 + signature.length)) * 0.75;
    const fits = forge(JSON.stringify({ a: "" }).padEnd(Math.floor(length)));
    expect(fits.length).toBeLessThanOrEqual(8_192);
    expect(verify(fits)).toEqual({ a: "" });
    expect(toRefusal(() => verify(`${fits}${"A".repeat(8_193 - fits.length)}`))?.reason).toBe(
      "token is longer than 8 KiB",
    );
  });
});

describe("the header of a token", () => {
  it.each([
    ["no kid, if one key has that alg", { alg: "HS256", typ: "JWT" }],
    ["no typ", { alg: "HS256", kid: "k1" }],
    ["typ in another case", { ...goodHeader, typ: "jwt" }],
    ["an unknown parameter", { ...goodHeader, cty: "x", x5t: "y" }],
    ["white space", ' {\n"alg" :"HS256"\t}'],
  ])("can have %s", (_, header) => {
    expect(verify(forge({ a: 1 }, header))).toEqual({ a: 1 });
  });

  it.each([
    ["alg none", { ...goodHeader, alg: "none" }],
    ["alg NONE", { ...goodHeader, alg: "NONE" }],
    ["alg of another case", { ...goodHeader, alg: "hs256" }],
    ["alg of another hash", { ...goodHeader, alg: "HS512" }],
    ["alg of a public key", { ...goodHeader, alg: "RS256" }],
    ["no alg", { typ: "JWT", kid: "k1" }],
    ["alg null", { ...goodHeader, alg: null }],
    ["alg as a list", { ...goodHeader, alg: ["HS256"] }],
    ["an unknown kid", { ...goodHeader, kid: "k2" }],
    ["an empty kid", { ...goodHeader, kid: "" }],
    ["a kid that is a path", { ...goodHeader, kid: "../../dev/null" }],
    ["a kid that isn't a string", { ...goodHeader, kid: 1 }],
    ["kid null", { ...goodHeader, kid: null }],
    ["a kid of Object.prototype", { ...goodHeader, kid: "constructor" }],
    ["typ at+jwt", { ...goodHeader, typ: "at+jwt" }],
    ["typ JWE", { ...goodHeader, typ: "JWE" }],
    ["typ empty", { ...goodHeader, typ: "" }],
    ["typ null", { ...goodHeader, typ: null }],
    ["typ as a list", { ...goodHeader, typ: ["JWT"] }],
    ["crit", { ...goodHeader, crit: ["exp"] }],
    ["crit, empty", { ...goodHeader, crit: [] }],
    ["b64", { ...goodHeader, b64: true }],
    ["b64 false", { ...goodHeader, b64: false, crit: ["b64"] }],
    ["jku", { ...goodHeader, jku: "https://evil.example/jwks.json" }],
    ["jwk", { ...goodHeader, jwk: { kty: "oct", k: "AAAA" } }],
    ["x5u", { ...goodHeader, x5u: "https://evil.example/cert.pem" }],
    ["x5c", { ...goodHeader, x5c: ["MII"] }],
    ["jku null", { ...goodHeader, jku: null }],
    ["alg twice", '{"alg":"none","alg":"HS256","kid":"k1"}'],
    ["a member twice, deep inside", '{"alg":"HS256","kid":"k1","x":{"y":1,"y":1}}'],
    ["a list", [goodHeader]],
    ["null", "null"],
    ["text that isn't JSON", "alg=HS256"],
    ["invalid UTF-8", Buffer.from('{"alg":"HS256","x":"\xff"}', "latin1")],
    ["a byte order mark", `\ufeff${JSON.stringify(goodHeader)}`],
    ["prototype pollution", '{"__proto__":{"alg":"HS256","kid":"k1"}}'],
  ])("must not have %s", (_, header) => {
    expect(toCode(() => verify(forge({ a: 1 }, header)))).toBe("token_invalid");
  });
});

describe("the payload of a token", () => {
  it.each([
    ["a list", "[]"],
    ["a list of pairs", '[["exp",1]]'],
    ["null", "null"],
    ["a string", '"{}"'],
    ["a number", "1"],
    ["true", "true"],
    ["text that isn't JSON", "{exp:1}"],
    ["two objects", "{}{}"],
    ["a member twice", '{"exp":1,"exp":2}'],
    ["a member twice, once escaped", '{"exp":1,"\\u0065xp":2}'],
    ["a member twice, deep inside", '{"a":[{"b":1,"b":1}]}'],
    ["NaN", '{"exp":NaN}'],
    ["a NUL after it", "{}\0"],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-8 of a surrogate", Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ["overlong UTF-8", Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", Buffer.from("{}", "utf16le")],
    ["a byte order mark", "\ufeff{}"],
  ])("must not be or have %s", (_, payload) => {
    expect(toCode(() => verify(forge(payload)))).toBe("token_invalid");
  });

  it("can hold any text", () => {
    expect(verify(forge({ "naïve \u0000 😀": "日本語" }))).toEqual({ "naïve \u0000 😀": "日本語" });
  });
});

describe("any change to a token", () => {
  it("of one character, at every position, makes it invalid", () => {
    for (let i = 0; i < token.length; i++) {
      // The neighbour in the alphabet differs in the lowest bit: the one that may be unused.
      const neighbour = alphabet[alphabet.indexOf(token[i] ?? "") ^ 1] ?? "A";
      for (const char of [neighbour, "", ".", "=", " ", "\u0141"]) {
        if (char === token[i]) continue;
        const changed = token.slice(0, i) + char + token.slice(i + 1);
        expect(
          toCode(() => verify(changed)),
          `position ${i}`,
        ).toBe("token_invalid");
      }
    }
  });

  it("of one character to any other text makes it invalid", () => {
    fc.assert(
      fc.property(fc.nat({ max: token.length - 1 }), fc.string({ unit: "binary", maxLength: 2 }), (i, text) => {
        fc.pre(text !== token[i]);
        expect(toCode(() => verify(token.slice(0, i) + text + token.slice(i + 1)))).toBe("token_invalid");
      }),
      { numRuns: 500 },
    );
  });

  it("of one bit of its signature makes it invalid", () => {
    for (let bit = 0; bit < 256; bit++) {
      const flipped = withPart(2, (part) => {
        const bytes = Buffer.from(part, "base64url");
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return bytes.toString("base64url");
      });
      expect(toCode(() => verify(flipped))).toBe("token_invalid");
    }
  });

  it("never makes the verification throw another error than AuthError", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64url")),
      fc.json().map((json) => Buffer.from(json).toString("base64url")),
      fc.constantFrom(...token.split(".")),
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        if (text !== token) expect(toCode(() => verify(text))).toBe("token_invalid");
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json()), (payload) => {
        expect([undefined, "token_invalid"]).toContain(toCode(() => verify(forge(payload))));
      }),
    );
  });
});
