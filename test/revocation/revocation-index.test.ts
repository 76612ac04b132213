import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Revocation, UserRevocation } from "../../src/core/revocation.ts";
import { createRevocationIndex, type RevocableToken } from "../../src/revocation/revocation-index.ts";
import { createManualTime } from "../support/manual-time.ts";

const leeway = 5;
const margin = leeway + 60;

const start = 1_800_000_000;
const at = start - 10;
/** How long an entry without `until` is held: those of version 0.1. */
const heldFor = 86_400 + margin;

const token: RevocableToken = {
  sessionId: "0198c0de-0000-7000-8000-000000000001",
  userId: "7",
  userEpoch: 3,
  globalEpoch: 6,
  tokenId: "00112233445566778899aabbccddeeff",
  issuedAt: start - 20,
};

function createTestIndex() {
  const time = createManualTime(start);
  return { time, index: createRevocationIndex({ leeway, clock: time.clock }) };
}

const user = (epoch: number, more: Partial<UserRevocation> = {}): UserRevocation => ({
  kind: "user",
  userId: "7",
  epoch,
  at,
  ...more,
});

const cases: readonly (readonly [string, Revocation, boolean])[] = [
  ["its session", { kind: "session", sessionId: token.sessionId, at }, true],
  ["another session", { kind: "session", sessionId: "0198c0de-0000-7000-8000-000000000002", at }, false],
  ["its user up to a higher epoch", { kind: "user", userId: "7", epoch: 4, at }, true],
  ["its user up to the token's own epoch", { kind: "user", userId: "7", epoch: 3, at }, false],
  ["its user up to a lower epoch", { kind: "user", userId: "7", epoch: 2, at }, false],
  ["another user", { kind: "user", userId: "77", epoch: 9, at }, false],
  ["its token id", { kind: "token", tokenId: token.tokenId, at }, true],
  ["another token id", { kind: "token", tokenId: "ff112233445566778899aabbccddeeff", at }, false],
  ["all of a lower global epoch than its own", { kind: "all", epoch: 5, at }, false],
  ["all of its own global epoch", { kind: "all", epoch: 6, at: start + 99 }, false],
  ["all of a higher global epoch", { kind: "all", epoch: 7, at: 0 }, true],
  ["all by version 0.1, later than it was issued", { kind: "all", at: token.issuedAt + 1 }, true],
  ["all by version 0.1, in the second it was issued", { kind: "all", at: token.issuedAt }, true],
  ["all by version 0.1, before it was issued", { kind: "all", at: token.issuedAt - 1 }, false],
  ["its user up to a higher epoch, except its session", user(4, { except: token.sessionId }), false],
  ["its user up to a higher epoch, except another session", user(4, { except: "another" }), true],
  ["a session that is called like its user", { kind: "session", sessionId: token.userId, at }, false],
  ["a user who is called like its session", { kind: "user", userId: token.sessionId, epoch: 9, at }, false],
  ["a token id that is its session's", { kind: "token", tokenId: token.sessionId, at }, false],
  ["its session, too long ago", { kind: "session", sessionId: token.sessionId, at: start - heldFor }, false],
  [
    "its session, just not too long ago",
    { kind: "session", sessionId: token.sessionId, at: start - heldFor + 1 },
    true,
  ],
  ["its session, needed no more", { kind: "session", sessionId: token.sessionId, at, until: start - margin }, false],
  [
    "its session, just still needed",
    { kind: "session", sessionId: token.sessionId, at: 0, until: start - margin + 1 },
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
    // An exception is held apart from its user.
    expect(index.size).toBeLessThanOrEqual("except" in revocation ? 2 : 1);
  });

  it("revokes a token without ge by its iat, whatever the global epoch is", () => {
    const { index } = createTestIndex();
    const old = { ...token, globalEpoch: null };
    index.apply({ kind: "all", epoch: 99, at: token.issuedAt - 1 });
    expect(index.isRevoked(old)).toBe(false);
    index.apply({ kind: "all", epoch: 1, at: token.issuedAt });
    expect(index.isRevoked(old)).toBe(true);
    expect(index.isRevoked({ ...old, issuedAt: token.issuedAt + 1 })).toBe(false);
    expect(index.globalEpoch).toBe(99);
  });

  it("accepts a token of the second and of the time in which all were revoked before, by any clock", () => {
    const { index } = createTestIndex();
    index.apply({ kind: "all", epoch: 7, at: start + 3_600 });
    expect(index.isRevoked({ ...token, globalEpoch: 7, issuedAt: start - 3_600 })).toBe(false);
    expect(index.isRevoked({ ...token, globalEpoch: 6, issuedAt: start + 7_200 })).toBe(true);
  });

  it.each([
    ["the first caller", "a", true],
    ["the second caller", "b", false],
    ["another session", "c", true],
  ])("merges two exceptions in any order: %s", (_, sessionId, revoked) => {
    const first = user(4, { except: "a" });
    const second = user(5, { except: "b" });
    for (const entries of [
      [first, second],
      [second, first],
      [second, first, second, first],
    ]) {
      const { index } = createTestIndex();
      for (const entry of entries) index.apply(entry);
      expect(index.isRevoked({ ...token, sessionId })).toBe(revoked);
      // The next token of the second caller has the new epoch.
      expect(index.isRevoked({ ...token, sessionId, userEpoch: 5 })).toBe(false);
    }
  });

  it.each<[string, Revocation]>([
    ["its session is revoked", { kind: "session", sessionId: token.sessionId, at }],
    ["its user's epoch is raised again without exception", user(5)],
    ["its token is revoked", { kind: "token", tokenId: token.tokenId, at }],
    ["all are revoked", { kind: "all", epoch: 7, at }],
  ])("revokes the token of an excepted session if %s, before or after", (_, other) => {
    for (const entries of [
      [user(4, { except: token.sessionId }), other],
      [other, user(4, { except: token.sessionId })],
    ]) {
      const { index } = createTestIndex();
      const remembered = Object.freeze({ ...token });
      expect(index.isRevoked(remembered)).toBe(false);
      for (const entry of entries) index.apply(entry);
      expect(index.isRevoked(remembered)).toBe(true);
    }
  });

  it("keeps an entry as long as the latest of its kind says, and drops it by this node's clock", async () => {
    const { index, time } = createTestIndex();
    index.apply({ kind: "session", sessionId: token.sessionId, at, until: start + 100 });
    index.apply({ kind: "session", sessionId: token.sessionId, at, until: start + 50 });
    await time.advance(99 + margin);
    index.sweep();
    expect(index.isRevoked(token)).toBe(true);
    await time.advance(1);
    index.sweep();
    expect([index.isRevoked(token), index.size]).toEqual([false, 0]);
  });

  it("needs its entries again after the clock was set back, and takes them", () => {
    const { index, time } = createTestIndex();
    const entry: Revocation = { kind: "session", sessionId: token.sessionId, at, until: start + 100 };
    index.apply(entry);
    time.setWallClock(86_400);
    index.sweep();
    index.apply(entry);
    expect(index.size).toBe(0);
    time.setWallClock(-86_400);
    index.apply(entry);
    expect(index.isRevoked(token)).toBe(true);
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
    const epoch = fc.integer({ min: 1, max: 5 });
    const globalEpoch = fc.option(fc.integer({ min: 0, max: 4 }));
    const ago = fc.integer({ min: -200, max: 200 });
    /** Undefined in entries of version 0.1. */
    const lasts = fc.option(fc.integer({ min: -100, max: 400 }), { nil: undefined });
    const except = fc.option(name, { nil: undefined });
    const step = fc.oneof(
      fc.record({ do: fc.constant("session" as const), name, ago, lasts }),
      fc.record({ do: fc.constant("user" as const), name, ago, epoch, lasts, except }),
      fc.record({ do: fc.constant("token" as const), name, ago, lasts }),
      fc.record({ do: fc.constant("all" as const), ago, globalEpoch }),
      fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 0, max: 300 }) }),
      fc.record({ do: fc.constant("sweep" as const) }),
      fc.record({
        do: fc.constant("ask" as const),
        name,
        other: name,
        epoch,
        globalEpoch,
        ago,
        remembered: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let now = start;
        const clock = { now: () => now, wall: () => now * 1_000, monotonic: () => 0 };
        const index = createRevocationIndex({ leeway, clock });
        let applied: Revocation[] = [];
        let lingering: Revocation[] = [];
        const remembered = new Map<string, RevocableToken>();
        for (const it of steps) {
          const alive = (revocation: Revocation) =>
            revocation.kind === "all" || (revocation.until ?? revocation.at + 86_400) + margin > now;
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
            const claims: RevocableToken = {
              sessionId: it.name,
              userId: it.other,
              tokenId: it.name,
              userEpoch: it.epoch,
              globalEpoch: it.globalEpoch,
              issuedAt: now - it.ago,
            };
            const key = JSON.stringify(claims);
            const asked = it.remembered ? (remembered.get(key) ?? Object.freeze(claims)) : claims;
            if (it.remembered) remembered.set(key, asked);
            const answer = index.isRevoked(asked);
            // Expired entries, and expired exceptions, may be found until they are swept.
            if (isRevokedBy(applied, asked, [...applied, ...lingering])) expect(answer).toBe(true);
            else if (lingering.length === 0) expect(answer).toBe(false);
          }
        }
        index.sweep();
        const held = new Set(applied.flatMap(toKeys));
        expect(index.size).toBe(held.size);
        expect(index.globalEpoch).toBe(
          Math.max(0, ...steps.map((it) => (it.do === "all" ? (it.globalEpoch ?? 0) : 0))),
        );
      }),
      { numRuns: 500 },
    );
  });
});

interface Step {
  readonly do: Revocation["kind"];
  readonly name?: string;
  readonly epoch?: number;
  readonly globalEpoch?: number | null;
  readonly ago: number;
  readonly lasts?: number | undefined;
  readonly except?: string | undefined;
}

function toRevocation(
  { do: kind, name = "", epoch = 0, globalEpoch, ago, lasts, except }: Step,
  now: number,
): Revocation {
  const base = { at: now - ago, ...(lasts === undefined ? {} : { until: now + lasts }) };
  if (kind === "session") return { kind, sessionId: name, ...base };
  if (kind === "token") return { kind, tokenId: name, ...base };
  if (kind === "all") return { kind, ...base, ...(typeof globalEpoch === "number" ? { epoch: globalEpoch } : {}) };
  return { kind, userId: name, epoch, ...base, ...(except === undefined ? {} : { except }) };
}

function toKeys(revocation: Revocation): readonly string[] {
  if (revocation.kind === "all") return [];
  if (revocation.kind === "session") return [`session ${revocation.sessionId}`];
  if (revocation.kind === "token") return [`token ${revocation.tokenId}`];
  const { userId, except } = revocation;
  return except === undefined ? [`user ${userId}`] : [`user ${userId}`, `excepted ${except}`];
}

/** The specification's verdict, over all entries at once. */
function isRevokedBy(
  revocations: readonly Revocation[],
  asked: RevocableToken,
  exceptions: readonly Revocation[],
): boolean {
  const epochs = revocations.flatMap((it) => (it.kind === "user" && it.userId === asked.userId ? [it.epoch] : []));
  const highest = Math.max(0, ...epochs);
  const isExcepted = exceptions.some(
    (it) => it.kind === "user" && it.except === asked.sessionId && it.epoch >= highest,
  );
  if (asked.userEpoch < highest && !isExcepted) return true;
  return revocations.some((it) => {
    if (it.kind === "session") return it.sessionId === asked.sessionId;
    if (it.kind === "token") return it.tokenId === asked.tokenId;
    if (it.kind !== "all") return false;
    if (it.epoch === undefined || asked.globalEpoch === null) return asked.issuedAt <= it.at;
    return asked.globalEpoch < it.epoch;
  });
}
