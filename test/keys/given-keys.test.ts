import { describe, expect, it } from "vitest";
import { SettingError } from "../../src/core/settings/setting-error.ts";
import { isComplete, type KeyOptions, parseGivenKeys } from "../../src/keys/given-keys.ts";
import { hmacKey, kek, newPem } from "./nodes.ts";

const nothing = { algorithm: undefined, keyEncryptionKey: undefined };
const parse = (options: Partial<KeyOptions>) => parseGivenKeys({ settings: nothing, ...options });
const withKek = { settings: { ...nothing, keyEncryptionKey: kek } };

describe("the keys in the settings", () => {
  it("may be an HMAC secret alone, as in version 0.1", () => {
    for (const signingKey of [hmacKey, Buffer.from(hmacKey)]) {
      const given = parse({ signingKey });
      expect(given).toMatchObject({ signing: { algorithm: "HS256" }, secret: null, keks: null });
      expect(isComplete(given)).toBe(true);
      expect(isComplete(parse({ signingKey, secret: hmacKey }))).toBe(true);
    }
  });

  it("are not all keys that there may be if the database can hold others, or another secret made refresh tokens", () => {
    expect(isComplete(parse({ signingKey: hmacKey, secret: `${hmacKey}, the former` }))).toBe(false);
    expect(isComplete(parse({ signingKey: hmacKey, ...withKek }))).toBe(false);
    expect(isComplete(parse(withKek))).toBe(false);
  });

  it("have the algorithm that fits the signing key, or the one that is set", () => {
    expect(parse({ signingKey: newPem(), secret: hmacKey }).signing?.algorithm).toBe("ES256");
    expect(parse({ signingKey: newPem("EdDSA"), ...withKek }).signing?.algorithm).toBe("EdDSA");
    const hs512 = { ...nothing, algorithm: "HS512" as const };
    expect(parse({ signingKey: hmacKey, settings: hs512 }).signing?.algorithm).toBe("HS512");
    expect(parse(withKek).ringAlgorithm).toBe("ES256");
    expect(parse({ settings: { algorithm: "EdDSA", keyEncryptionKey: kek } }).ringAlgorithm).toBe("EdDSA");
  });

  it.each<[what: string, options: Partial<KeyOptions>, message: RegExp]>([
    ["no key at all", {}, /^signingKey is missing\. Create one with: openssl rand -hex 48$/],
    [
      "a private key without a secret",
      { signingKey: newPem() },
      /^secret is missing: a private key signs access tokens/,
    ],
    ["a short secret", { signingKey: newPem(), secret: "0123456789" }, /^secret must have at least 32 bytes, got 10\./],
    ["a secret of another type", { signingKey: newPem(), secret: 5 }, /^secret must be a string or a Uint8Array\./],
    ["a private key as the secret", { signingKey: hmacKey, secret: newPem() }, /^secret is a PEM or JWK/],
    ["a path as the secret", { signingKey: hmacKey, secret: "/run/secrets/tokenpair" }, /^secret looks like a path/],
    [
      "an algorithm that the signing key can't have",
      { signingKey: newPem(), secret: hmacKey, settings: { ...nothing, algorithm: "HS256" } },
      /^algorithm must fit the signing key/,
    ],
    [
      "an algorithm that needs a private key",
      { signingKey: hmacKey, settings: { ...nothing, algorithm: "ES256" } },
      /^algorithm must be HS256, HS384 or HS512 for a secret/,
    ],
  ])("are refused: %s", (_, options, message) => {
    expect(() => parse(options)).toThrow(SettingError);
    expect(() => parse(options)).toThrow(message);
    expect(() => parse(options)).not.toThrow(/MIG|0123456789"/);
  });
});
