import { describe, expect, it } from "vitest";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { generateKeyMaterial, toSigningKey } from "../../../src/crypto/keys/key-material.ts";
import { createKeySet, createVerifyingKeys } from "../../../src/crypto/keys/key-set.ts";

describe("a key set", () => {
  const current = createHmacKey({ algorithm: "HS256", secret: "1".repeat(32), kid: "new" });
  const old = createHmacKey({ algorithm: "HS256", secret: "2".repeat(32), kid: "old" });
  const other = createHmacKey({ algorithm: "HS512", secret: "3".repeat(64), kid: "512" });
  const keys = createKeySet({ access: current, others: [old, other] });

  it("finds a key by kid if alg is that key's own", () => {
    expect(keys.find({ alg: "HS256", kid: "new" })).toBe(current);
    expect(keys.find({ alg: "HS256", kid: "old" })).toBe(old);
    expect(keys.find({ alg: "HS256", kid: "512" })).toBeNull();
    expect(keys.find({ alg: "HS512", kid: "512" })).toBe(other);
  });

  it("finds a key without kid only if one key has that alg", () => {
    expect(keys.find({ alg: "HS512" })).toBe(other);
    expect(keys.find({ alg: "HS256" })).toBeNull();
    expect(keys.find({ alg: "HS384" })).toBeNull();
  });

  it("finds nothing for values that aren't a known kid or alg", () => {
    for (const kid of ["", "NEW", "__proto__", "constructor", null, 0, ["new"], {}]) {
      expect(keys.find({ alg: "HS256", kid })).toBeNull();
    }
    for (const alg of ["none", "hs256", null, undefined, ["HS256"]]) expect(keys.find({ alg, kid: "new" })).toBeNull();
  });

  it("refuses two keys with the same kid", () => {
    const same = createHmacKey({ algorithm: "HS256", secret: "4".repeat(32), kid: "new" });
    expect(() => createKeySet({ access: current, others: [same] })).toThrow(TypeError);
  });

  it("accepts a key that it gets twice", () => {
    const twice = createKeySet({ access: current, refresh: current, others: [current] });
    expect(twice.find({ alg: "HS256" })).toBe(current);
  });
});

describe("a key set whose keys have different uses", () => {
  const secret = "s".repeat(64);
  const access = createHmacKey({ algorithm: "HS256", secret, kid: "a", use: "access" });
  const refresh = createHmacKey({ algorithm: "HS256", secret, kid: "r1", use: "refresh" });
  const former = createHmacKey({ algorithm: "HS512", secret, kid: "b", use: "both" });
  const keys = createKeySet({ access, refresh, others: [former] });

  it("finds every key by kid", () => {
    expect(keys.find({ alg: "HS256", kid: "r1" })).toBe(refresh);
    expect(keys.find({ alg: "HS256", kid: "a" })).toBe(access);
    expect(keys.find({ alg: "HS512", kid: "b" })).toBe(former);
  });

  it("doesn't count a key for refresh tokens alone among those without kid", () => {
    expect(keys.find({ alg: "HS256" })).toBe(access);
    expect(keys.find({ alg: "HS512" })).toBe(former);
    const own = createKeySet({ access: former, refresh });
    expect(own.find({ alg: "HS256" })).toBeNull();
  });

  it("isn't created if a key would sign tokens that aren't its own", () => {
    expect(() => createKeySet({ access: refresh, refresh })).toThrow(TypeError);
    expect(() => createKeySet({ access, refresh: access })).toThrow(TypeError);
    expect(() => createKeySet({ access })).toThrow(TypeError);
  });
});

describe("the alg Ed25519 in a header", () => {
  it("is EdDSA", () => {
    const material = generateKeyMaterial("EdDSA");
    const access = toSigningKey(material, { use: "access" });
    const refresh = createHmacKey({ algorithm: "HS256", secret: "r".repeat(32), kid: "r1", use: "refresh" });
    const keys = createKeySet({ access, refresh });
    for (const alg of ["EdDSA", "Ed25519"]) {
      expect(keys.find({ alg, kid: material.kid })).toBe(access);
      expect(keys.find({ alg })).toBe(access);
    }
    for (const alg of ["Ed448", "ed25519", "eddsa"]) expect(keys.find({ alg })).toBeNull();
  });
});

describe("a set of keys that only verify", () => {
  const key = createHmacKey({ algorithm: "HS256", secret: "1".repeat(32), kid: "a", use: "access" });
  const unknown = new Error("unknown");
  const keys = createVerifyingKeys([key], () => {
    throw unknown;
  });

  it("finds its keys, and refuses a key's kid with another alg", () => {
    expect(keys.access).toBe(key);
    expect(keys.refresh).toBeNull();
    expect(keys.find({ alg: "HS256", kid: "a" })).toBe(key);
    expect(keys.find({ alg: "HS512", kid: "a" })).toBeNull();
  });

  it.each([undefined, "", 5, null])("has none for the kid %j", (kid) => {
    expect(keys.find({ alg: "HS256", kid })).toBeNull();
  });

  it("lets its owner say what an unknown key means", () => {
    expect(() => keys.find({ alg: "HS256", kid: "b" })).toThrow(unknown);
    expect(createVerifyingKeys([], () => null).find({ alg: "HS256", kid: "a" })).toBeNull();
  });

  it("has no key for most tokens if it is empty", () => {
    expect(createVerifyingKeys([], () => null).access).toBeNull();
  });

  it("refuses two keys with the same kid", () => {
    const same = createHmacKey({ algorithm: "HS256", secret: "4".repeat(32), kid: "a", use: "access" });
    expect(() => createVerifyingKeys([key, same], () => null)).toThrow(TypeError);
  });
});
