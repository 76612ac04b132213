import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AccessClaims } from "../../../src/core/claims.ts";
import { createClaimsCache } from "../../../src/crypto/tokens/claims-cache.ts";

const now = 1_800_000_000;
const randomText = (bytes: number) => randomBytes(bytes).toString("base64url");
const createToken = () => `${randomText(40)}.${randomText(150)}.${randomText(32)}`;
const toClaims = (payload: Record<string, unknown> = {}) =>
  ({ type: "access", issuedAt: now, expiresAt: now + 60, payload }) as unknown as AccessClaims;

/** Creates a cache, and sets `count` tokens in the returned order. */
function fill(size: number, count: number) {
  const cache = createClaimsCache(size, { leeway: 0, clockTolerance: 0 });
  const tokens = Array.from({ length: count }, createToken);
  for (const token of tokens) cache.set(token, toClaims());
  return { cache, tokens };
}

describe("the cache of verified tokens", () => {
  it("returns the claims of a token, whichever string holds the token", () => {
    const cache = createClaimsCache(10, { leeway: 0, clockTolerance: 0 });
    const [token, claims] = [createToken(), toClaims()];
    cache.set(`Bearer ${token}`.slice(7), claims);
    expect(cache.get(Buffer.from(token).toString(), now)).toBe(claims);
    expect(cache.get(createToken(), now)).toBeUndefined();
  });

  it("returns nothing for a token that differs in one character, at any position", () => {
    const cache = createClaimsCache(10, { leeway: 0, clockTolerance: 0 });
    const token = createToken();
    cache.set(token, toClaims());
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === "A" ? "B" : "A";
      expect(cache.get(token.slice(0, i) + other + token.slice(i + 1), now), `position ${i}`).toBeUndefined();
      expect(cache.get(token.slice(0, i) + token.slice(i + 1), now), `without position ${i}`).toBeUndefined();
    }
    expect(cache.get(`${token} `, now)).toBeUndefined();
    expect(cache.get(token.slice(-43), now)).toBeUndefined();
    expect(cache.get("", now)).toBeUndefined();
  });

  it.each([1, 2, 7, 100])("never holds more tokens than its size, here %i", (size) => {
    const { cache, tokens } = fill(size, size * 3);
    expect(cache.get(tokens.at(-1) ?? "", now)).toBeDefined();
    expect(tokens.filter((token) => cache.get(token, now) !== undefined).length).toBeLessThanOrEqual(size + (size % 2));
  });

  it("keeps a token that is in use while others are added", () => {
    const { cache, tokens } = fill(100, 1);
    for (let i = 0; i < 1_000; i++) {
      cache.set(createToken(), toClaims());
      if (i % 40 === 0) expect(cache.get(tokens[0] ?? "", now), `after ${i}`).toBeDefined();
    }
  });

  it("drops a token that is not in use", () => {
    const { cache, tokens } = fill(100, 200);
    expect(cache.get(tokens[0] ?? "", now)).toBeUndefined();
  });

  it("holds nothing with a size of 0, and no token longer than 2 KiB", () => {
    const { cache, tokens } = fill(0, 1);
    expect(cache.get(tokens[0] ?? "", now)).toBeUndefined();

    const some = createClaimsCache(10, { leeway: 0, clockTolerance: 0 });
    const longest = createToken().padStart(2_048, "a");
    some.set(longest, toClaims());
    some.set(`a${longest}`, toClaims());
    expect(some.get(`a${longest}`, now)).toBeUndefined();
    expect(some.get(longest, now)).toBeDefined();
  });

  it("freezes the claims, at any depth", () => {
    const deep = JSON.parse(`${'{"a":['.repeat(5_000)}${"]}".repeat(5_000)}`);
    const claims = toClaims({ roles: ["user"], deep });
    createClaimsCache(10, { leeway: 0, clockTolerance: 0 }).set(createToken(), claims);
    expect(() => Object.assign(claims, { userId: "root" })).toThrow(TypeError);
    expect(() => Object.assign(claims.payload, { user_id: "root" })).toThrow(TypeError);
    expect(() => (claims.payload["roles"] as string[]).push("admin")).toThrow(TypeError);
    expect(() => deep.a[0].a[0].a.push(1)).toThrow(TypeError);
  });
});
