import { describe, expect, it } from "vitest";
import type { AccessClaims } from "../../src/core/claims.ts";
import type { Revocation } from "../../src/core/revocation.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";
import { createSignals } from "../../src/revocation/signals.ts";
import { createManualTime } from "../support/manual-time.ts";

const start = 1_800_000_000;

function createTestSignals() {
  const time = createManualTime(start);
  const { clock, schedule } = time;
  const index = createRevocationIndex({ accessTokenLifetime: 1800, leeway: 5, clock });
  const signals = createSignals({ index, clock, leeway: 5, schedule });
  const revoke = (revocation: Revocation) => {
    index.apply(revocation);
    signals.onRevocation(revocation);
  };
  return { time, signals, revoke };
}

function toClaims(changes: Partial<AccessClaims> = {}): AccessClaims {
  return {
    type: "access",
    userId: "7",
    sessionId: "s1",
    userEpoch: 1,
    tokenId: "t1",
    issuedAt: start,
    expiresAt: start + 1800,
    payload: {},
    ...changes,
  };
}

const codeOf = (signal: AbortSignal): string | null => (signal.aborted ? signal.reason.code : null);

describe("signals", () => {
  it("abort when the token expires, leeway included, and leave nothing behind", async () => {
    const { signals, time } = createTestSignals();
    const signal = signals.signal(toClaims());
    await time.advance(1804);
    expect(signal.aborted).toBe(false);
    await time.advance(1);
    expect(codeOf(signal)).toBe("token_expired");
    expect(time.pending).toBe(0);
  });

  it("are aborted from the start for a token that has expired or is revoked", () => {
    const { signals, revoke, time } = createTestSignals();
    expect(codeOf(signals.signal(toClaims({ expiresAt: start - 5 })))).toBe("token_expired");
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect(codeOf(signals.signal(toClaims()))).toBe("token_revoked");
    expect(time.pending).toBe(0);
  });

  it.each<[string, Revocation, readonly string[]]>([
    ["a session", { kind: "session", sessionId: "s1", at: start }, ["t1", "t2"]],
    ["a user up to an epoch", { kind: "user", userId: "7", epoch: 2, at: start }, ["t1", "t3"]],
    ["a token", { kind: "token", tokenId: "t3", at: start }, ["t3"]],
    ["everything issued so far", { kind: "all", at: start }, ["t1", "t2", "t3"]],
  ])("abort what a revocation of %s ends, and nothing else", (_, revocation, ended) => {
    const { signals, revoke, time } = createTestSignals();
    const open = [
      toClaims({ tokenId: "t1" }),
      toClaims({ tokenId: "t2", userEpoch: 2 }),
      toClaims({ tokenId: "t3", sessionId: "s2" }),
      toClaims({ tokenId: "t4", sessionId: "s3", userId: "8", issuedAt: start + 1 }),
    ].map((claims) => ({ claims, signal: signals.signal(claims) }));
    revoke(revocation);
    const aborted = open.filter(({ signal }) => codeOf(signal) === "token_revoked").map(({ claims }) => claims.tokenId);
    expect(aborted).toEqual(ended);
    expect(time.pending).toBe(open.length - ended.length);
  });

  it("are one for all that is open under one token", async () => {
    const { signals, time, revoke } = createTestSignals();
    const first = signals.signal(toClaims());
    for (let i = 0; i < 1_000; i++) expect(signals.signal(toClaims())).toBe(first);
    expect(time.pending).toBe(1);
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect(first.aborted).toBe(true);
    expect(time.pending).toBe(0);
  });

  it("fire once: a revocation that comes again changes nothing", () => {
    const { signals, revoke } = createTestSignals();
    let fired = 0;
    signals.signal(toClaims()).addEventListener("abort", () => fired++);
    revoke({ kind: "session", sessionId: "s1", at: start });
    revoke({ kind: "session", sessionId: "s1", at: start });
    revoke({ kind: "all", at: start });
    expect(fired).toBe(1);
  });

  it("may be asked for by a listener of another", () => {
    const { signals, revoke } = createTestSignals();
    let next: AbortSignal | undefined;
    signals.signal(toClaims()).addEventListener("abort", () => {
      next = signals.signal(toClaims({ tokenId: "t9" }));
    });
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect(next && codeOf(next)).toBe("token_revoked");
  });

  it("wait for a token that lives longer than a timer can", async () => {
    const { signals, time } = createTestSignals();
    const lifetime = 60 * 86_400;
    const signal = signals.signal(toClaims({ expiresAt: start + lifetime }));
    await time.advance(lifetime + 4);
    expect(signal.aborted).toBe(false);
    await time.advance(1);
    expect(codeOf(signal)).toBe("token_expired");
  });

  it("wait on where the wall clock was set back meanwhile", async () => {
    const { signals, time } = createTestSignals();
    const signal = signals.signal(toClaims());
    time.setWallClock(-100);
    await time.advance(1805);
    expect(signal.aborted).toBe(false);
    await time.advance(100);
    expect(codeOf(signal)).toBe("token_expired");
  });

  it("are let go of, unaborted, when all is stopped", async () => {
    const { signals, time } = createTestSignals();
    const signal = signals.signal(toClaims());
    signals.stop();
    expect(time.pending).toBe(0);
    await time.advance(4000);
    expect(signal.aborted).toBe(false);
  });
});
