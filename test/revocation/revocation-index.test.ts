import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Revocation } from "../../src/core/revocation.ts";
import { toRevocationHorizon } from "../../src/core/revocation-horizon.ts";
import { createRevocationIndex, type RevocableToken } from "../../src/revocation/revocation-index.ts";
import { createManualTime } from "../support/manual-time.ts";

const accessTokenLifetime = 1800;
const leeway = 5;
const heldFor = toRevocationHorizon({ accessTokenLifetime, leeway });

const start = 1_800_000_000;
const at = start - 10;

const token: RevocableToken = {
  sessionId: "0198c0de-0000-7000-8000-000000000001",
  userId: "7",
  userEpoch: 3,
  tokenId: "00112233445566778899aabbccddeeff",
  issuedAt: start - 20,
};

function createTestIndex() {
  const time = createManualTime(start);
  return { time, index: createRevocationIndex({ accessTokenLifetime, leeway, clock: time.clock }) };
}

const cases: readonly (readonly [string, Revocation, boolean])[] = [
  ["its session", { kind: "session", sessionId: token.sessionId, at }, true],
  ["another session", { kind: "session", sessionId: "0198c0de-0000-7000-8000-000000000002", at }, false],
  ["its user up to a higher epoch", { kind: "user", userId: "7", epoch: 4, at }, true],
  ["its user up to the token's own epoch", { kind: "user", userId: "7", epoch: 3, at }, false],
  ["its user up to a lower epoch", { kind: "user", userId: "7", epoch: 2, at }, false],
  ["another user", { kind: "user", userId: "77", epoch: 9, at }, false],
  ["its token id", { kind: "token", tokenId: token.tokenId, at }, true],
  ["another token id", { kind: "token", tokenId: "ff112233445566778899aabbccddeeff", at }, false],
  ["all, later than it was issued", { kind: "all", at: token.issuedAt + 1 }, true],
  ["all, in the second it was issued", { kind: "all", at: token.issuedAt }, true],
  ["all, before it was issued", { kind: "all", at: token.issuedAt - 1 }, false],
  ["a session that is called like its user", { kind: "session", sessionId: token.userId, at }, false],
  ["a user who is called like its session", { kind: "user", userId: token.sessionId, epoch: 9, at }, false],
  ["a token id that is its session's", { kind: "token", tokenId: token.sessionId, at }, false],
  ["its session, too long ago", { kind: "session", sessionId: token.sessionId, at: start - heldFor }, false],
  [
    "its session, just not too long ago",
    { kind: "session", sessionId: token.sessionId, at: start - heldFor + 1 },
    true,
  ],
];

describe("the revocation index", () => {
  it("revokes nothing while it is empty", () => {
    const { index } = createTestIndex();
    expect(index.isRevoked(token)).toBe(false);
    expect(index.size).toBe(0);
  });

  it.each(cases)(
    "answers correctly after a revocation of %s for claims that it has remembered",
    (_, revocation, revoked) => {
      const { index } = createTestIndex();
      const remembered = Object.freeze({ ...token });
      expect([index.isRevoked(remembered), index.isRevoked(remembered)]).toEqual([false, false]);
      index.apply(revocation);
      expect([index.isRevoked(remembered), index.isRevoked(remembered)]).toEqual([revoked, revoked]);
    },
  );

  it.each(cases)("answers correctly after a revocation of %s", (_, revocation, revoked) => {
    const { index } = createTestIndex();
    index.apply(revocation);
    index.apply(revocation);
    expect(index.isRevoked(token)).toBe(revoked);
    expect(index.size).toBeLessThanOrEqual(1);
  });

  it("keeps the highest epoch and the highest cut-off, in any order", () => {
    const { index } = createTestIndex();
    index.apply({ kind: "user", userId: "7", epoch: 4, at });
    index.apply({ kind: "user", userId: "7", epoch: 2, at: at + 5 });
    expect(index.isRevoked(token)).toBe(true);

    const another = createTestIndex().index;
    another.apply({ kind: "all", at });
    another.apply({ kind: "all", at: token.issuedAt - 5 });
    expect(another.isRevoked(token)).toBe(true);
    expect(another.isRevoked({ ...token, issuedAt: at + 1 })).toBe(false);
  });

  it("refuses a token without iat after any revocation of all", () => {
    const { index } = createTestIndex();
    index.apply({ kind: "all", at });
    expect(index.isRevoked({ ...token, issuedAt: 0 })).toBe(true);
  });

  it("drops an entry when the last token that it could apply to has expired", async () => {
    const { index, time } = createTestIndex();
    index.apply({ kind: "session", sessionId: token.sessionId, at: start });
    index.apply({ kind: "user", userId: "7", epoch: 4, at: start });
    index.apply({ kind: "token", tokenId: token.tokenId, at: start });
    await time.advance(heldFor - 1);
    index.sweep();
    expect(index.size).toBe(3);
    await time.advance(1);
    index.sweep();
    expect(index.size).toBe(0);
    expect(index.isRevoked(token)).toBe(false);
  });

  it("takes ids of any length and script", () => {
    const { index } = createTestIndex();
    const names = ["", "é", "e\u0301", "漢字".repeat(2_000), "🔑", "\0", "a".repeat(50_000)];
    for (const [i, userId] of names.entries()) {
      expect(index.isRevoked({ ...token, userId })).toBe(false);
      index.apply({ kind: "user", userId, epoch: 4, at });
      expect(index.isRevoked({ ...token, userId })).toBe(true);
      expect(index.size).toBe(i + 1);
    }
  });

  it("behaves like a simple model after any sequence of steps", () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const ago = fc.integer({ min: -30, max: heldFor + 30 });
    const epoch = fc.integer({ min: 1, max: 5 });
    const step = fc.oneof(
      fc.record({ do: fc.constant("session" as const), name, ago }),
      fc.record({ do: fc.constant("user" as const), name, ago, epoch }),
      fc.record({ do: fc.constant("token" as const), name, ago }),
      fc.record({ do: fc.constant("all" as const), ago }),
      fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 0, max: heldFor }) }),
      fc.record({ do: fc.constant("sweep" as const) }),
      fc.record({ do: fc.constant("ask" as const), name, other: name, epoch, ago, remembered: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let now = start;
        const clock = { now: () => now, monotonic: () => 0 };
        const index = createRevocationIndex({ accessTokenLifetime, leeway, clock });
        let applied: Revocation[] = [];
        let lingering: Revocation[] = [];
        const remembered = new Map<string, RevocableToken>();
        for (const it of steps) {
          const alive = (revocation: Revocation) => revocation.kind === "all" || revocation.at + heldFor > now;
          if (it.do === "wait") now += it.seconds;
          lingering.push(...applied.filter((revocation) => !alive(revocation)));
          applied = applied.filter(alive);
          if (it.do === "sweep") {
            index.sweep();
            lingering = [];
          }
          if (it.do === "session" || it.do === "user" || it.do === "token" || it.do === "all") {
            const revocation = toRevocation(it, now);
            index.apply(revocation);
            if (alive(revocation)) applied.push(revocation);
          }
          if (it.do === "ask") {
            const claims = {
              sessionId: it.name,
              userId: it.other,
              tokenId: it.name,
              userEpoch: it.epoch,
              issuedAt: now - it.ago,
            };
            const key = JSON.stringify(claims);
            const asked = it.remembered ? (remembered.get(key) ?? Object.freeze(claims)) : claims;
            if (it.remembered) remembered.set(key, asked);
            const must = applied.some((revocation) => isRevokedBy(revocation, asked));
            const may = must || lingering.some((revocation) => isRevokedBy(revocation, asked));
            const answer = index.isRevoked(asked);
            expect(answer || !must).toBe(true);
            expect(!answer || may).toBe(true);
          }
        }
        index.sweep();
        const held = new Set(applied.flatMap((entry) => (entry.kind === "all" ? [] : [JSON.stringify(toKey(entry))])));
        expect(index.size).toBe(held.size);
      }),
      { numRuns: 300 },
    );
  });
});

type Step = { readonly do: Revocation["kind"]; readonly name?: string; readonly epoch?: number; readonly ago: number };

function toRevocation({ do: kind, name = "", epoch = 0, ago }: Step, now: number): Revocation {
  const when = now - ago;
  if (kind === "session") return { kind, sessionId: name, at: when };
  if (kind === "token") return { kind, tokenId: name, at: when };
  return kind === "user" ? { kind, userId: name, epoch, at: when } : { kind, at: when };
}

function toKey(revocation: Exclude<Revocation, { kind: "all" }>): readonly [string, string] {
  if (revocation.kind === "session") return ["session", revocation.sessionId];
  return revocation.kind === "user" ? ["user", revocation.userId] : ["token", revocation.tokenId];
}

function isRevokedBy(revocation: Revocation, asked: RevocableToken): boolean {
  if (revocation.kind === "session") return revocation.sessionId === asked.sessionId;
  if (revocation.kind === "token") return revocation.tokenId === asked.tokenId;
  if (revocation.kind === "all") return asked.issuedAt <= revocation.at;
  return revocation.userId === asked.userId && asked.userEpoch < revocation.epoch;
}
