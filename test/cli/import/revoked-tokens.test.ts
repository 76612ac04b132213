import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRevokedTokenReader, isJoined, type TokenRecord } from "../../../src/cli/import/revoked-tokens.ts";

const now = 1_767_225_600;
const later = "2026-06-01T00:00:00Z";
const earlier = "2025-12-31T22:59:59Z";

const record = (kind: TokenRecord["kind"], fields: Record<string, unknown>): TokenRecord => ({
  kind,
  fields: new Map(Object.entries(fields)),
});
const outstanding = (id: unknown, jti: unknown, expires_at: unknown = later) =>
  record("outstanding", { id, jti, expires_at, token: "eyJ", user: 1 });
const revoked = (token: unknown) => record("revoked", { id: 1, token, blacklisted_at: earlier });

/** Returns the `jti`s that the records yield. */
function readAll(records: readonly TokenRecord[]) {
  const reader = createRevokedTokenReader(now);
  const answers = records.map((each) => reader.read(each));
  return {
    found: answers.flatMap((each) => (each !== null && "tokenId" in each ? [each.tokenId] : [])),
    ...reader.finish(),
  };
}

describe("the reader of revoked tokens", () => {
  it("finds the revoked tokens in any order of the rows", () => {
    const rows = [1, 2, 3, 4, 5].flatMap((id) => [
      outstanding(id, `jti${id}`, id === 5 ? earlier : later),
      ...(id % 2 === 1 ? [revoked(id)] : []),
    ]);
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), (shuffled) => {
        const { found, ...rest } = readAll(shuffled);
        expect(found.toSorted()).toEqual(["jti1", "jti3"]);
        expect(rest).toEqual({ expired: 1, missing: 0, hasOutstanding: true });
      }),
    );
  });

  it("reads ids as texts or numbers, and the time at which a token expires", () => {
    const reader = createRevokedTokenReader(now);
    reader.read(outstanding("7", "jti", 1_800_000_000));
    expect(reader.read(revoked(7))).toEqual({ tokenId: "jti", expiresAt: 1_800_000_000 });
  });

  it("reads rows that join both tables, and leaves out tokens that have expired more than an hour ago", () => {
    const reader = createRevokedTokenReader(now);
    expect(reader.read(record("both", { jti: "a", expires_at: later }))).toMatchObject({ tokenId: "a" });
    expect(reader.read(record("both", { jti: "b", expires_at: "2025-12-31T23:00:00Z" }))).toMatchObject({
      tokenId: "b",
    });
    expect(reader.read(record("both", { jti: "c", expires_at: earlier }))).toBeNull();
    expect(reader.finish()).toEqual({ expired: 1, missing: 0, hasOutstanding: false });
  });

  it("notices that outstanding tokens are missing", () => {
    expect(readAll([revoked(1), revoked(2), outstanding(3, "c", earlier)])).toEqual({
      found: [],
      expired: 1,
      missing: 1,
      hasOutstanding: true,
    });
  });

  it.each<[record: TokenRecord, fault: string]>([
    [outstanding(1, undefined), "jti must be text."],
    [outstanding(1, ""), "jti must be a text of 1 to 255 characters."],
    [outstanding(1, "a\0"), "jti must be a text of 1 to 255 characters."],
    [outstanding(1, "a".repeat(256)), "jti must be a text of 1 to 255 characters."],
    [
      outstanding(1, "a", "soon"),
      'expires_at must be a time such as "2026-01-31T12:00:00Z", or whole seconds since 1970.',
    ],
    [outstanding(null, "a"), "id must be text or a whole number."],
    [record("both", { jti: "a" }), "expires_at is missing."],
    [record("revoked", {}), "token is missing."],
    [revoked([1]), "token must be text or a whole number."],
  ])("says what is wrong with a record, and doesn't quote it (%#)", (faulty, fault) => {
    expect(createRevokedTokenReader(now).read(faulty)).toEqual({ fault });
  });
});

describe("isJoined", () => {
  it("tells revoked tokens from a list of all outstanding tokens", () => {
    expect(isJoined(new Set(["jti", "expires_at", "blacklisted_at", "id"]))).toBe(true);
    expect(isJoined(new Set(["id", "token", "created_at", "expires_at", "user_id", "jti"]))).toBe(false);
    expect(isJoined(new Set(["id", "blacklisted_at", "token_id"]))).toBe(false);
  });
});
