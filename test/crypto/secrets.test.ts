import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/core/runtime/random.ts";
import {
  createSalt,
  createSecret,
  createSessionId,
  deriveSecret,
  hashIdempotencyKey,
  hashSecret,
  isSameHash,
  toRefreshTokenId,
} from "../../src/crypto/secrets.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const count = (size: number) => Uint8Array.from({ length: size }, (_, index) => index);
const sessionId = "0198c1a2-0000-7000-8000-000000000001";

// The fixed values were computed with Python's hmac and hashlib.
describe("the secrets of refresh tokens", () => {
  it("are 32 bytes of the injected randomness, with salts of 16", () => {
    expect(createSecret(count)).toEqual(count(32));
    expect(createSalt(count)).toEqual(count(16));
    expect(createSecret(systemRandom)).not.toEqual(createSecret(systemRandom));
  });

  it("derive the next generation's secret as the design says", () => {
    expect(hex(deriveSecret(count(32), sessionId, 1, count(16)))).toBe(
      "b7f06f666f7cc18dddeb80a004647b7b5749fda9b6fcaf7f559d071415df645c",
    );
    expect(hex(deriveSecret(count(32), sessionId, 0xffff_ffff, count(16)))).toBe(
      "67f74db19d7cfab3b7ad3344aad6fe768d815129a2b7f80a4126f692b589a578",
    );
  });

  it("derive another secret if any input differs", () => {
    const all = [
      deriveSecret(count(32), sessionId, 1, count(16)),
      deriveSecret(new Uint8Array(32), sessionId, 1, count(16)),
      deriveSecret(count(32), sessionId.replace("1", "2"), 1, count(16)),
      deriveSecret(count(32), sessionId, 2, count(16)),
      deriveSecret(count(32), sessionId, 1, new Uint8Array(16)),
    ].map(hex);
    expect(new Set(all).size).toBe(all.length);
  });

  it("are hashed with SHA-256", () => {
    expect(hex(hashSecret(count(32)))).toBe("630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd");
    expect(hex(hashIdempotencyKey("attempt-1"))).toBe(
      "3dafcfaa6218343276ff42263fe100bab5e2b0475a8d98b96abc88c57bfd9992",
    );
  });

  it("match a stored hash only if it is present and the same", () => {
    const hash = hashSecret(count(32));
    expect(isSameHash(Uint8Array.from(hash), hash)).toBe(true);
    for (const other of [null, new Uint8Array(), hash.subarray(1), hashSecret(count(31))]) {
      expect(isSameHash(other, hash)).toBe(false);
    }
  });

  it("determine the id of their refresh token", () => {
    expect(toRefreshTokenId(count(32))).toBe("25adb14fe28f39dba41d1b2346e3dd67");
  });
});

describe("a session id", () => {
  it("is a UUIDv7 of the given second", () => {
    const id = createSessionId(1_700_000_000, count);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(1_700_000_000_000);
    expect(createSessionId(1_700_000_000, count)).toBe(id);
  });

  it("sorts by time and is different every time", () => {
    const ids = Array.from({ length: 200 }, () => createSessionId(1_700_000_000, systemRandom));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => id < createSessionId(1_700_000_001, systemRandom))).toBe(true);
  });
});
