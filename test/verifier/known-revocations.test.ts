import { describe, expect, it } from "vitest";
import { recordLength, toFingerprint, writeRecord } from "../../src/revocation/readers/frame.ts";
import { createKnownRevocations, toAffected } from "../../src/verifier/known-revocations.ts";
import { toBytes, vectors } from "./vectors-of-the-page.ts";

const now = 1_800_000_000;
const create = () => createKnownRevocations({ now: () => now, leeway: 30 });

function toRecords(...entries: readonly (readonly ["s" | "t" | "u" | "x" | "a", string, number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(entries.length * recordLength));
  for (const [i, [kind, id, value]] of entries.entries()) {
    writeRecord(view, i * recordLength, { fingerprint: toFingerprint(kind, id), until: now + 60, value });
  }
  return new Uint8Array(view.buffer);
}

describe("the verdict about a token", () => {
  it.each(vectors.verdicts)("is that of the vector: $name", ({ table, claims, revoked }) => {
    const known = create();
    known.apply(toBytes(table).subarray(64), true);
    const token = {
      sessionId: claims.sid,
      tokenId: claims.jti,
      userId: claims.user_id,
      userEpoch: claims.ue,
      globalEpoch: claims.ge,
      issuedAt: now,
    };
    expect(known.isRevoked(token)).toBe(revoked);
    expect(known.isRevoked(Object.freeze({ ...token }))).toBe(revoked);
  });
});

describe("a token that is looked up again", () => {
  /** Frozen claims that count how often their ids are read. */
  function createCounted() {
    const reads = { count: 0 };
    const read = <T>(value: T) => ({
      enumerable: true,
      get: () => {
        reads.count += 1;
        return value;
      },
    });
    const token = Object.defineProperties(
      { userEpoch: 3, globalEpoch: 1, issuedAt: now },
      { sessionId: read("s1"), tokenId: read("t1"), userId: read("42") },
    ) as never;
    return { reads, token: Object.freeze(token) };
  }

  it("is never hashed again, and not even looked up while nothing was applied", () => {
    const known = create();
    const { reads, token } = createCounted();
    known.apply(toRecords(["s", "another", 1]), true);
    expect(known.isRevoked(token)).toBe(false);
    const { count } = reads;
    expect(count).toBeGreaterThan(0);
    for (let i = 0; i < 5; i += 1) {
      expect(known.isRevoked(token)).toBe(false);
      known.apply(toRecords(["s", `other ${i}`, 1]), false);
    }
    known.apply(toRecords(["s", "s1", 1]), false);
    expect(known.isRevoked(token)).toBe(true);
    expect(known.isRevoked(token)).toBe(true);
    expect(reads.count).toBe(count);
  });

  it("is not hashed at all while nothing is revoked", () => {
    const known = create();
    const { reads, token } = createCounted();
    known.apply(toRecords(), true);
    expect(known.isRevoked(token)).toBe(false);
    expect(reads.count).toBe(0);
  });

  it("is revoked by each frame that revokes it, in whatever order they come", () => {
    const known = create();
    const { token } = createCounted();
    known.apply(toRecords(["u", "42", 4], ["x", "s1", 4]), true);
    expect(known.isRevoked(token)).toBe(false);
    known.apply(toRecords(["u", "42", 5]), false);
    expect(known.isRevoked(token)).toBe(true);
    known.apply(toRecords(["x", "s1", 5]), false);
    expect(known.isRevoked(token)).toBe(false);
    known.apply(toRecords(["a", "", 2]), false);
    expect(known.isRevoked(token)).toBe(true);
    known.apply(toRecords(), true);
    expect(known.isRevoked(token)).toBe(false);
  });
});

describe("the groups of tokens that records may revoke", () => {
  it("are those of the token, its session and its user", () => {
    const known = create();
    const token = { sessionId: "s1", tokenId: "t1", userId: "42", userEpoch: 0, globalEpoch: 0, issuedAt: now };
    expect(toAffected(toRecords(["t", "t1", 1], ["s", "s1", 1], ["u", "42", 1]))).toEqual([...known.toGroups(token)]);
  });

  it("are all if everything is revoked", () => {
    expect(toAffected(toRecords(["s", "s1", 1], ["a", "", 1]))).toBeNull();
  });
});
