import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/core/runtime/random.ts";
import { createServiceCredential, hashServiceCredential } from "../../src/crypto/service-credential.ts";

describe("a service credential", () => {
  it("has 256 random bits, a prefix to tell it apart, and the SHA-256 hash of its text", () => {
    const sizes: number[] = [];
    const created = createServiceCredential((size) => {
      sizes.push(size);
      return new Uint8Array(size).fill(0xff);
    });
    expect(sizes).toEqual([32]);
    expect(created.credential).toBe("tps___________________________________________8");
    expect(created.prefix).toBe("________");
    expect(created.hash).toEqual(createHash("sha256").update(created.credential).digest());
  });

  it("is found by the hash with which it was created", () => {
    const { credential, hash, prefix } = createServiceCredential(systemRandom);
    expect(credential).toMatch(/^tps_[A-Za-z0-9_-]{43}$/);
    expect(credential.slice(4, 12)).toBe(prefix);
    expect(hashServiceCredential(credential)).toEqual(hash);
  });

  it("is different for every service", () => {
    expect(createServiceCredential(systemRandom).credential).not.toBe(createServiceCredential(systemRandom).credential);
  });

  const { credential } = createServiceCredential((size) => new Uint8Array(size));
  it.each([
    ["nothing", ""],
    ["the prefix alone", "tps_"],
    ["one character less", credential.slice(0, -1)],
    ["one character more", `${credential}A`],
    ["a line break at its end", `${credential}\n`],
    ["the prefix in upper case", credential.replace("tps_", "TPS_")],
    ["another prefix", credential.replace("tps_", "tpx_")],
    ["a character of plain base64", `${credential.slice(0, -1)}+`],
    ["an access token", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"],
  ])("does not have the form of %s", (_what, text) => {
    expect(hashServiceCredential(text)).toBeNull();
  });
});
