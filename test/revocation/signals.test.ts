import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { AccessClaims } from "../../src/core/claims.ts";
import type { Revocation } from "../../src/core/revocation.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";
import { createSignals } from "../../src/revocation/signals.ts";
import { createManualTime } from "../support/manual-time.ts";

const start = 1_800_000_000;

function createTestSignals(maxStaleness: number | null = 10) {
  const time = createManualTime(start);
  const { clock, schedule } = time;
  const index = createRevocationIndex({ leeway: 5, clock });
  const node = { staleness: 0 };
  /** How long the sessions live, in seconds; none is over if there is no number. An error is thrown. */
  const sessions = new Map<string, number | null | Error>();
  const lookups: string[] = [];
  const signals = createSignals({
    index,
    clock,
    leeway: 5,
    accessTokenLifetime: 1800,
    maxStaleness,
    staleness: () => node.staleness,
    findSessionEnd: async (sessionId) => {
      lookups.push(sessionId);
      const end = sessions.get(sessionId);
      if (end instanceof Error) throw end;
      return end ?? null;
    },
    schedule,
  });
  const revoke = (revocation: Revocation) => {
    index.apply(revocation);
    signals.onRevocation(revocation);
  };
  return { time, signals, revoke, node, sessions, lookups };
}

function toClaims(changes: Partial<AccessClaims> = {}): AccessClaims {
  return {
    type: "access",
    userId: "7",
    sessionId: "s1",
    userEpoch: 1,
    globalEpoch: 0,
    tokenId: "t1",
    issuedAt: start,
    expiresAt: start + 1800,
    authTime: start,
    amr: [],
    actor: null,
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

describe("a signal for work that tells when it has ended", () => {
  function createWork() {
    const gone = new AbortController();
    return { signal: gone.signal, until: "session", end: () => gone.abort(new Error("gone")), gone } as const;
  }

  it("costs nothing afterwards: no memory, no timer, and no look-up of the session", async () => {
    const { signals, time, sessions, lookups } = createTestSignals();
    sessions.set("s1", 86_400);
    for (let n = 0; n < 200; n++) {
      const work = createWork();
      signals.signal(toClaims({ tokenId: `t${n}` }), work);
      work.end();
    }
    expect([time.pending, signals.size]).toEqual([0, 0]);
    await time.advance(3 * 1805);
    expect(lookups).toEqual([]);
  });

  it("costs nothing afterwards although it ends while the session is looked up", async () => {
    const { signals, time, sessions } = createTestSignals();
    sessions.set("s1", 86_400);
    const work = createWork();
    signals.signal(toClaims(), work);
    const advanced = time.advance(1805);
    work.end();
    await advanced;
    expect([time.pending, signals.size]).toEqual([0, 0]);
  });

  it("aborts with the work's own reason, and leaves other work under the same token alone", () => {
    const { signals, time, revoke } = createTestSignals();
    const [one, other] = [createWork(), createWork()];
    const [first, second] = [signals.signal(toClaims(), one), signals.signal(toClaims(), other)];
    const kept = signals.signal(toClaims(), { until: "session" });
    expect(time.pending).toBe(1);
    one.end();
    expect([first.reason, second.aborted, kept.aborted]).toEqual([new Error("gone"), false, false]);
    other.end();
    expect([kept.aborted, time.pending]).toEqual([false, 1]);
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect([codeOf(kept), time.pending, signals.size]).toEqual(["token_revoked", 0, 0]);
  });

  it("aborts if the token is revoked, and then listens to the work no longer", () => {
    const { signals, revoke } = createTestSignals();
    const works = [createWork(), createWork()];
    const own = works.map((work) => signals.signal(toClaims(), work));
    expect(works.map(({ signal }) => getEventListeners(signal, "abort").length)).toEqual([1, 1]);
    revoke({ kind: "session", sessionId: "s1", at: start });
    expect(own.map(codeOf)).toEqual(["token_revoked", "token_revoked"]);
    expect(works.map(({ signal }) => getEventListeners(signal, "abort").length)).toEqual([0, 0]);
  });

  it("is aborted from the start if the work has ended already", () => {
    const { signals, time } = createTestSignals();
    const work = createWork();
    work.end();
    expect(signals.signal(toClaims(), work).reason).toEqual(new Error("gone"));
    expect([time.pending, signals.size]).toEqual([0, 0]);
  });
});

describe("the reason of an aborted signal", () => {
  it.each(["password_changed", "user_disabled", "logout"] as const)(
    "says that the token was revoked because of %s",
    (reason) => {
      const { signals, revoke } = createTestSignals();
      const signal = signals.signal(toClaims());
      revoke({ kind: "user", userId: "7", epoch: 2, at: start, reason });
      expect(signal.reason).toMatchObject({ code: "token_revoked", reason: expect.stringContaining(reason) });
    },
  );
});

describe("signals and a logout of the other sessions", () => {
  it("abort in the other sessions and not in the one that asked for it", () => {
    const { signals, revoke } = createTestSignals();
    const [own, other] = ["s1", "s2"].map((sessionId) => signals.signal(toClaims({ sessionId, tokenId: sessionId })));
    revoke({ kind: "user", userId: "7", epoch: 2, except: "s1", at: start });
    expect([own?.aborted, other?.aborted]).toEqual([false, true]);
  });
});

describe("signals of a node whose knowledge of revocations is too stale", () => {
  it("abort with unavailable beyond signalMaxStaleness, and are aborted from the start", () => {
    const { signals, node } = createTestSignals(10);
    const signal = signals.signal(toClaims());
    signals.onStaleness(10);
    expect(signal.aborted).toBe(false);
    signals.onStaleness(10.25);
    expect(codeOf(signal)).toBe("unavailable");
    node.staleness = 10.25;
    expect(codeOf(signals.signal(toClaims()))).toBe("unavailable");
    expect(signals.size).toBe(0);
    node.staleness = 0;
    expect(signals.signal(toClaims()).aborted).toBe(false);
  });

  it("stay with a signalMaxStaleness of null", () => {
    const { signals, node } = createTestSignals(null);
    node.staleness = Number.POSITIVE_INFINITY;
    const signal = signals.signal(toClaims());
    signals.onStaleness(3_600);
    expect(signal.aborted).toBe(false);
  });

  it("say that a token is revoked rather than that it may be", () => {
    const { signals, node, revoke } = createTestSignals();
    revoke({ kind: "session", sessionId: "s1", at: start });
    node.staleness = 60;
    expect(codeOf(signals.signal(toClaims()))).toBe("token_revoked");
  });
});

describe("a signal that follows the session", () => {
  it("stays when the token expires, and ends when the session is over", async () => {
    const { signals, time, sessions, lookups } = createTestSignals();
    const [token, session] = [signals.signal(toClaims()), signals.signal(toClaims(), { until: "session" })];
    sessions.set("s1", 86_400);
    await time.advance(1805);
    expect([codeOf(token), session.aborted]).toEqual(["token_expired", false]);
    await time.advance(3 * 1800);
    expect([session.aborted, lookups.length]).toEqual([false, 4]);
    sessions.set("s1", 60);
    await time.advance(1800);
    sessions.set("s1", null);
    await time.advance(61);
    expect(codeOf(session)).toBe("token_expired");
    expect([time.pending, signals.size]).toEqual([0, 0]);
  });

  it("is another one than that of the token, and one and the same for everything that follows the session", () => {
    const { signals, time } = createTestSignals();
    const session = signals.signal(toClaims(), { until: "session" });
    expect(signals.signal(toClaims())).not.toBe(session);
    expect(signals.signal(toClaims(), { until: "session" })).toBe(session);
    expect(time.pending).toBe(2);
  });

  it.each<[string, Revocation]>([
    ["its session", { kind: "session", sessionId: "s1", at: start }],
    ["its user", { kind: "user", userId: "7", epoch: 2, at: start }],
    ["everything", { kind: "all", epoch: 1, at: start }],
    ["the token with which it was requested", { kind: "token", tokenId: "t1", at: start }],
  ])("ends at once if a revocation revokes %s, also after the token has expired", async (_, revocation) => {
    for (const wait of [0, 4000]) {
      const { signals, time, sessions, revoke } = createTestSignals();
      sessions.set("s1", 86_400);
      const session = signals.signal(toClaims(), { until: "session" });
      await time.advance(wait);
      revoke(revocation);
      expect(codeOf(session)).toBe("token_revoked");
      expect([time.pending, signals.size]).toEqual([0, 0]);
    }
  });

  it("stays if the store doesn't answer, and asks again a second later", async () => {
    const { signals, time, sessions, lookups } = createTestSignals();
    sessions.set("s1", new Error("the connection broke"));
    const session = signals.signal(toClaims(), { until: "session" });
    await time.advance(1805 + 3);
    expect([session.aborted, lookups.length]).toEqual([false, 4]);
    sessions.set("s1", null);
    await time.advance(1);
    expect(codeOf(session)).toBe("token_expired");
  });

  it("that is revoked while its session is looked up isn't followed any more", async () => {
    const { signals, time, sessions, revoke } = createTestSignals();
    sessions.set("s1", 86_400);
    const session = signals.signal(toClaims(), { until: "session" });
    const advanced = time.advance(1805);
    revoke({ kind: "session", sessionId: "s1", at: start });
    await advanced;
    expect(codeOf(session)).toBe("token_revoked");
    expect(time.pending).toBe(0);
  });

  it("is forgotten although a lookup is in flight when signals are stopped", async () => {
    const { signals, time, sessions } = createTestSignals();
    sessions.set("s1", 86_400);
    const session = signals.signal(toClaims(), { until: "session" });
    const advanced = time.advance(1805);
    signals.stop();
    await advanced;
    expect([session.aborted, time.pending, signals.size]).toEqual([false, 0, 0]);
  });
});
