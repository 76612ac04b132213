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

describe("the signals of access tokens", () => {
  it("abort when the token and its leeway have expired, and leave nothing in memory", async () => {
    const { signals, time } = createTestSignals();
    const signal = signals.signal(toClaims());
    await time.advance(1804);
    expect(signal.aborted).toBe(false);
    await time.advance(1);
    expect(codeOf(signal)).toBe("token_expired");
    expect(time.pending).toBe(0);
    expect(signals.size).toBe(0);
  });

  it("are aborted from the start for a token that has expired or is revoked", () => {
    const { signals, revoke, time } = createTestSignals();
    expect(codeOf(signals.signal(toClaims({ expiresAt: start - 5 })))).toBe("token_expired");
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect(codeOf(signals.signal(toClaims()))).toBe("token_revoked");
    expect(time.pending).toBe(0);
    expect(signals.size).toBe(0);
  });

  it.each<[string, Revocation, readonly string[]]>([
    ["a session", { kind: "session", sessionId: "s1", at: start }, ["t1", "t2"]],
    ["a user up to an epoch", { kind: "user", userId: "7", epoch: 2, at: start }, ["t1", "t3"]],
    ["a token", { kind: "token", tokenId: "t3", at: start }, ["t3"]],
    ["everything issued so far", { kind: "all", at: start }, ["t1", "t2", "t3"]],
  ])("abort if a revocation of %s revokes their token, and not otherwise", (_, revocation, revoked) => {
    const { signals, revoke, time } = createTestSignals();
    const open = [
      toClaims({ tokenId: "t1" }),
      toClaims({ tokenId: "t2", userEpoch: 2 }),
      toClaims({ tokenId: "t3", sessionId: "s2" }),
      toClaims({ tokenId: "t4", sessionId: "s3", userId: "8", issuedAt: start + 1 }),
    ].map((claims) => ({ claims, signal: signals.signal(claims) }));
    revoke(revocation);
    const aborted = open.filter(({ signal }) => codeOf(signal) === "token_revoked").map(({ claims }) => claims.tokenId);
    expect(aborted).toEqual(revoked);
    expect(time.pending).toBe(open.length - revoked.length);
  });

  it("hold an entry for each token, session and user with a pending signal, and none for others", () => {
    const { signals, revoke } = createTestSignals();
    const sizes = [signals.size];
    const note = () => sizes.push(signals.size);
    signals.signal(toClaims({ tokenId: "t1" }));
    note();
    signals.signal(toClaims({ tokenId: "t2" }));
    note();
    signals.signal(toClaims({ tokenId: "t3", sessionId: "s2" }));
    note();
    revoke({ kind: "token", tokenId: "t1", at: start });
    note();
    revoke({ kind: "session", sessionId: "s1", at: start });
    note();
    revoke({ kind: "all", at: start });
    note();
    expect(sizes).toEqual([0, 3, 4, 6, 5, 3, 0]);
  });

  it("are one and the same for everything that is open under one token", async () => {
    const { signals, time, revoke } = createTestSignals();
    const first = signals.signal(toClaims());
    for (let i = 0; i < 1_000; i++) expect(signals.signal(toClaims())).toBe(first);
    expect(time.pending).toBe(1);
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect(first.aborted).toBe(true);
    expect(time.pending).toBe(0);
  });

  it("abort once, also if a revocation comes again", () => {
    const { signals, revoke } = createTestSignals();
    let fired = 0;
    signals.signal(toClaims()).addEventListener("abort", () => fired++);
    revoke({ kind: "session", sessionId: "s1", at: start });
    revoke({ kind: "session", sessionId: "s1", at: start });
    revoke({ kind: "all", at: start });
    expect(fired).toBe(1);
  });

  it("can be requested by a listener of another signal", () => {
    const { signals, revoke } = createTestSignals();
    let next: AbortSignal | undefined;
    signals.signal(toClaims()).addEventListener("abort", () => {
      next = signals.signal(toClaims({ tokenId: "t9" }));
    });
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect(next && codeOf(next)).toBe("token_revoked");
  });

  it("wait for a token that lives longer than a timer can run", async () => {
    const { signals, time } = createTestSignals();
    const lifetime = 60 * 86_400;
    const signal = signals.signal(toClaims({ expiresAt: start + lifetime }));
    await time.advance(lifetime + 4);
    expect(signal.aborted).toBe(false);
    await time.advance(1);
    expect(codeOf(signal)).toBe("token_expired");
  });

  it("wait longer if the wall clock was set back", async () => {
    const { signals, time } = createTestSignals();
    const signal = signals.signal(toClaims());
    time.setWallClock(-100);
    await time.advance(1805);
    expect(signal.aborted).toBe(false);
    await time.advance(100);
    expect(codeOf(signal)).toBe("token_expired");
  });

  it("are forgotten without being aborted when they are stopped", async () => {
    const { signals, time, revoke } = createTestSignals();
    const signal = signals.signal(toClaims());
    signals.stop();
    expect(time.pending).toBe(0);
    expect(signals.size).toBe(0);
    await time.advance(4000);
    revoke({ kind: "session", sessionId: "s1", at: start + 4000 });
    expect(signal.aborted).toBe(false);
  });
});
