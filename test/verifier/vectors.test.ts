import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toVerifierVectors, type VerifierVectors } from "../../scripts/verifier-vectors.ts";
import { AuthError } from "../../src/core/errors.ts";
import { defaultSettings } from "../../src/core/settings/settings.ts";
import { toJwks } from "../../src/crypto/keys/jwks.ts";
import { createVerifyingKeys } from "../../src/crypto/keys/key-set.ts";
import { parseJwks } from "../../src/crypto/keys/parse-jwks.ts";
import { createAccessTokens } from "../../src/crypto/tokens/access-tokens.ts";
import { createBearerReader } from "../../src/http/request/bearer.ts";
import { toErrorResponse } from "../../src/http/response/errors.ts";
import {
  type FrameHeader,
  headerLength,
  readHeader,
  readRecord,
  recordLength,
  toFingerprint,
  writeHeader,
  writeRecord,
} from "../../src/revocation/readers/frame.ts";

const path = new URL("../../docs/verifier/vectors.json", import.meta.url);
const vectors: VerifierVectors = JSON.parse(readFileSync(path, "utf8"));
const { configuration } = vectors;
const toBytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Returns the message of the 401 to an error, or its detail if it has no message. */
async function toMessage(error: AuthError): Promise<string> {
  const { detail, messages } = await toErrorResponse(error, "resource", defaultSettings).json();
  return messages?.[0].message ?? detail;
}

function toRefusal(action: () => unknown): AuthError | null {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}

describe("docs/verifier/vectors.json", () => {
  it("is what its script writes: npm run vectors", () => {
    expect(JSON.parse(JSON.stringify(toVerifierVectors()))).toEqual(vectors);
  });

  it("has a different name for each vector of a kind", () => {
    const lists = Object.values(vectors).filter((list) => Array.isArray(list));
    for (const list of lists) {
      const names = list.map((vector) => ("name" in vector ? vector.name : JSON.stringify(vector)));
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it("has no two accepted tokens, and no two refused tokens, that are the same", () => {
    const tokens = vectors.tokens.map(({ token, configuration: changes }) => JSON.stringify([token, changes]));
    const isNamedTwice = (token: string) => tokens.filter((other) => other === token).length > 1;
    expect(tokens.filter(isNamedTwice)).toEqual([]);
  });
});

describe("the keys of the vectors", () => {
  it("are what the issuer publishes for them, byte for byte", () => {
    const { keys }: { keys: { alg: "ES256"; kid: string }[] } = JSON.parse(vectors.keys.body);
    const materials = keys.map(({ alg, kid, ...jwk }) => {
      const publicKey = createPublicKey({ key: jwk, format: "jwk" });
      return { algorithm: alg, kid, publicKey, key: publicKey satisfies KeyObject };
    });
    const { body, version } = toJwks(materials.reverse());
    expect({ body, version }).toEqual(vectors.keys);
  });

  it("are all read by the verifier", () => {
    expect(
      parseJwks(vectors.keys.body)
        .map(({ algorithm }) => algorithm)
        .sort(),
    ).toEqual(["ES256", "ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]);
  });

  it.each(vectors.keySets)("are read from a set as the vector says: $name", ({ body, kids }) => {
    const read = () => {
      try {
        return parseJwks(body);
      } catch {
        return [];
      }
    };
    expect(
      read()
        .map(({ kid }) => kid)
        .sort(),
    ).toEqual(kids);
  });
});

describe("the header Authorization", () => {
  const read = createBearerReader(defaultSettings);

  it.each(vectors.authorization)("is read as the vector $header says", ({ header, token, code }) => {
    const headers = new Headers(header === null ? {} : { authorization: header });
    let found: string | null = null;
    const refusal = toRefusal(() => {
      found = read(headers);
    });
    expect(found).toBe(token ?? null);
    if (code === "bad_authorization_header") expect(refusal?.code).toBe(code);
  });
});

describe("an access token", () => {
  const keys = createVerifyingKeys(parseJwks(vectors.keys.body), () => null);

  it.each(vectors.tokens)(
    "has the result of the vector: $name",
    async ({ token, result, message, claims, ...vector }) => {
      const { now, ...settings } = { ...defaultSettings, ...configuration, ...vector.configuration };
      // Twice: the second time from the cache.
      const verifier = createAccessTokens({
        keys: () => keys,
        clock: { now: () => now },
        settings: settings as typeof defaultSettings,
      });
      for (let i = 0; i < 2; i++) {
        let actual: unknown;
        const refusal = toRefusal(() => {
          const { type, issuedAt, payload, ...rest } = verifier.verify(token);
          actual = rest;
        });
        expect(refusal === null ? "accept" : "refuse", refusal?.reason).toBe(result);
        // What later versions read besides isn't in the vectors.
        if (claims === undefined) expect(actual).toBeUndefined();
        else expect(actual).toMatchObject(claims);
        if (refusal !== null) expect(await toMessage(refusal)).toBe(message);
      }
    },
  );
});

describe("a fingerprint", () => {
  it.each(vectors.fingerprints)("of $text is that of the vector", ({ text, fingerprint }) => {
    const [, kind = "", id = ""] = /^(.):(.*)$/.exec(text) ?? [];
    expect(
      toFingerprint(kind as "s", id)
        .toString(16)
        .padStart(16, "0"),
    ).toBe(fingerprint);
  });
});

describe("a frame", () => {
  it.each(vectors.frames.filter(({ header }) => header !== undefined))(
    "is read and written as in the vector: $name",
    ({ hex, header, records }) => {
      const bytes = toBytes(hex);
      const view = new DataView(bytes.buffer);
      const expected: FrameHeader = {
        isFull: header?.full ?? false,
        isAwaited: header?.confirm ?? false,
        count: header?.count ?? 0,
        age: header?.age ?? 0,
        madeAt: header?.t ?? 0,
        keyVersion: Number.parseInt(header?.keyVersion ?? "", 16),
        held: header?.held ?? 0,
        cursor: header?.cursor ?? "",
      };
      expect(readHeader(bytes)).toEqual(expected);
      expect(bytes.length).toBe(headerLength + recordLength * expected.count);
      const read = Array.from({ length: expected.count }, (_, i) => readRecord(view, headerLength + recordLength * i));
      const named = read.map(({ fingerprint, ...rest }) => ({
        fingerprint: fingerprint.toString(16).padStart(16, "0"),
        ...rest,
      }));
      expect(named).toEqual(records);

      const written = new Uint8Array(bytes.length);
      writeHeader(written, expected);
      for (const [i, record] of read.entries()) {
        writeRecord(new DataView(written.buffer), headerLength + recordLength * i, record);
      }
      // The server sets no unknown flag.
      const flags = bytes.subarray(4, 8);
      flags.set([0, 0, 0, (flags[3] ?? 0) & 3]);
      expect(toHex(written)).toBe(toHex(bytes));
    },
  );

  it.each(vectors.frames.filter(({ result }) => result === "invalid"))(
    "isn't read from the vector: $name",
    ({ hex }) => {
      const bytes = new Uint8Array(headerLength);
      bytes.set(toBytes(hex).subarray(0, headerLength));
      expect(readHeader(bytes)).toBeNull();
    },
  );

  it("of the page is that of the vectors", () => {
    const page = readFileSync(new URL("README.md", path), "utf8");
    const [block = ""] = /^5450523[^`]*/m.exec(page) ?? [];
    const digits = block.split("\n").map((line) => line.split(" ")[0]);
    expect(digits.join("")).toBe(vectors.frames[0]?.hex);
  });
});
