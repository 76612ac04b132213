import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RefreshClaims } from "../../../src/core/claims.ts";
import { authenticate } from "../../../src/flows/authenticate.ts";
import type { Issued } from "../../../src/flows/issue.ts";
import { logoutByRefreshToken } from "../../../src/flows/logout.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import type { RefreshOptions } from "../../../src/flows/refresh/report.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

const idempotencyKey = "Zk3q9VYb0m5oRkq2nWl7xA";
const otherAttemptId = "b0m5oRkq2nWl7xAZk3q9VY";

let auth: TestAuth;
let first: Issued;
let id: string;

beforeEach(async () => {
  auth = await createTestAuth();
  first = await logIn(auth);
  id = first.session.id;
  auth.events.length = 0;
});
afterEach(() => auth.close());

const refreshFirst = (options?: RefreshOptions) => refresh(auth.deps, first.pair.refresh, options);
const next = async (token: string) => (await refresh(auth.deps, token)).pair.refresh as string;

/** A genuine token of the session that differs from the first. */
const firstWith = (changes: Partial<RefreshClaims>) =>
  refresh(
    auth.deps,
    auth.deps.tokens.mintRefresh({ ...auth.deps.tokens.verifyRefresh(first.pair.refresh), ...changes }),
  );

describe("3b: the previous generation, soon or by a known attempt", () => {
  it("is answered with the same refresh token to the byte, and no state moves", async () => {
    const { pair } = await refreshFirst();
    const row = await rowOf(auth, id);
    auth.clock.advance(5);
    const replay = await refreshFirst();
    expect(replay.outcome).toBe("replayed");
    expect(replay.pair.refresh).toBe(pair.refresh);
    expect(await rowOf(auth, id)).toEqual(row);
  });

  it("gets an access token of its own, as good as the first", async () => {
    const { pair } = await refreshFirst();
    const replay = await refreshFirst();
    expect(replay.pair.access).not.toBe(pair.access);
    for (const { access } of [pair, replay.pair]) expect((await authenticate(auth.deps, access)).sessionId).toBe(id);
  });

  it("is replayed until the very end of the reuse interval, whatever the attempt", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    auth.clock.advance(10);
    expect((await refreshFirst()).pair.refresh).toBe(pair.refresh);
    expect((await refreshFirst({ idempotencyKey: otherAttemptId })).pair.refresh).toBe(pair.refresh);
  });

  it("is not replayed a second later: the interval is anchored at the rotation and never slides", async () => {
    await refreshFirst();
    for (const seconds of [6, 4]) {
      auth.clock.advance(seconds);
      expect((await refreshFirst()).outcome).toBe("replayed");
    }
    auth.clock.advance(1);
    await expectRefused(refreshFirst(), "token_revoked", { sessionEnded: true });
  });

  it("is replayed for hours by the attempt that made the successor", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    auth.clock.advance(8 * 3_600);
    const replay = await refreshFirst({ idempotencyKey });
    expect(replay).toMatchObject({ outcome: "replayed", pair: { refresh: pair.refresh } });
    expect(replay.pair.refreshExpiresIn).toBe(2_592_000 - 8 * 3_600);
  });

  it("is replayed with no interval at all in the second of its rotation, and not in the next", async () => {
    const strict = await createTestAuth({ settings: { reuseInterval: 0 } });
    const { pair } = await logIn(strict);
    await refresh(strict.deps, pair.refresh);
    expect((await refresh(strict.deps, pair.refresh)).outcome).toBe("replayed");
    strict.clock.advance(1);
    await expectRefused(refresh(strict.deps, pair.refresh), "token_revoked", { sessionEnded: true });
    await strict.close();
  });

  it("is reported as replayed, by its own generation", async () => {
    await refreshFirst();
    await refreshFirst();
    const outcomes = eventsOf(auth, "refresh").map(({ outcome, generation }) => [outcome, generation]);
    expect(outcomes).toEqual([
      ["rotated", 0],
      ["replayed", 0],
    ]);
  });

  it("is not replayed once the session has ended", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    await logoutByRefreshToken(auth.deps, pair.refresh as string);
    await expectRefused(refreshFirst({ idempotencyKey }), "token_revoked", { sessionEnded: true });
  });
});

describe("3c: a genuine, spent token is theft", () => {
  it("where it comes after the reuse interval, without the attempt or with another", async () => {
    for (const options of [{}, { idempotencyKey: otherAttemptId }]) {
      const { session, pair } = await logIn(auth);
      await refresh(auth.deps, pair.refresh, { idempotencyKey });
      auth.clock.advance(11);
      await expectRefused(refresh(auth.deps, pair.refresh, options), "token_revoked", { sessionEnded: true });
      expect(await rowOf(auth, session.id)).toMatchObject({ revokeReason: "reuse", revokedAt: auth.clock.now() });
    }
  });

  it("where it is two generations old, also at once and by the attempt that spent it", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    await next(pair.refresh as string);
    await expectRefused(refreshFirst({ idempotencyKey }), "token_revoked", { sessionEnded: true });
    expect((await rowOf(auth, id)).revokeReason).toBe("reuse");
  });

  it("and ends this session with its access tokens, on the feed, and no other", async () => {
    const other = await logIn(auth);
    const newest = await next(await next(first.pair.refresh));
    await expectRefused(refreshFirst(), "token_revoked", { sessionEnded: true });
    await expectRefused(refresh(auth.deps, newest), "token_revoked", { sessionEnded: true });
    await expectRefused(authenticate(auth.deps, first.pair.access), "token_revoked");
    expect((await refresh(auth.deps, other.pair.refresh)).outcome).toBe("rotated");
    expect(await authenticate(auth.deps, other.pair.access)).toMatchObject({ sessionId: other.session.id });
    const { revocations } = await auth.store.feed.read({ after: null, horizon: 3_600 });
    expect(revocations).toEqual([{ kind: "session", sessionId: id, at: testStart }]);
  });

  it("and is reported once as theft and once as the end of the session", async () => {
    await next(await next(first.pair.refresh));
    auth.events.length = 0;
    await expectRefused(refreshFirst({ client: { ip: "192.0.2.9" } }), "token_revoked", { sessionEnded: true });
    await expectRefused(refreshFirst(), "token_revoked", { sessionEnded: true });
    const subject = { userId: auth.user.id, sessionId: id };
    const reason = "a spent refresh token was presented again";
    const refusal = { type: "refresh", ...subject, generation: 0 };
    expect(auth.events).toMatchObject([
      { type: "sessions_revoked", ...subject, reason: "reuse" },
      { ...refusal, outcome: "reuse_detected", reason, client: { ip: "192.0.2.9" } },
      { ...refusal, outcome: "refused", reason: "session revoked: reuse", client: {} },
    ]);
  });
});

describe("3d: a genuine token that the row does not know", () => {
  const secret = new Uint8Array(32).fill(9);
  const reason = "the store has lost this session's newer state";

  async function expectLost(attempt: () => Promise<unknown>): Promise<void> {
    const before = await rowOf(auth, id);
    auth.events.length = 0;
    await expectRefused(attempt(), "token_revoked", { reason });
    expect(auth.events).toMatchObject([{ type: "refresh", outcome: "state_lost", sessionId: id, reason }]);
    expect(await rowOf(auth, id)).toEqual(before);
  }

  it("is of a later generation: nothing is revoked, and an alarm is raised", async () => {
    await expectLost(() => firstWith({ generation: 1 }));
    await expectLost(() => firstWith({ generation: 7, secret }));
    expect((await refreshFirst()).outcome).toBe("rotated");
  });

  it("is of this or the previous generation, with another secret: the same", async () => {
    await expectLost(() => firstWith({ secret }));
    const newest = await next(first.pair.refresh);
    await expectLost(() => firstWith({ secret }));
    expect((await refresh(auth.deps, newest)).outcome).toBe("rotated");
  });
});
