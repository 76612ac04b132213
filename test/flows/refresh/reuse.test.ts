import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RefreshClaims } from "../../../src/core/claims.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import type { RefreshOptions } from "../../../src/flows/refresh/report.ts";
import type { Issued } from "../../../src/flows/sessions/issue.ts";
import { logoutByRefreshToken } from "../../../src/flows/sessions/logout.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

const idempotencyKey = "Zk3q9VYb0m5oRkq2nWl7xA";
const otherKey = "b0m5oRkq2nWl7xAZk3q9VY";

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

/** Presents a genuine token of the session that differs from the first. */
const firstWith = (changes: Partial<RefreshClaims>) =>
  refresh(
    auth.deps,
    auth.deps.tokens.mintRefresh({ ...auth.deps.tokens.verifyRefresh(first.pair.refresh), ...changes }),
  );

describe("step 3b of a refresh", () => {
  it("answers a replay with the same refresh token, byte for byte, and does not change the row", async () => {
    const { pair } = await refreshFirst();
    const row = await rowOf(auth, id);
    auth.clock.advance(5);
    const replay = await refreshFirst();
    expect(replay.outcome).toBe("replayed");
    expect(replay.pair.refresh).toBe(pair.refresh);
    expect(await rowOf(auth, id)).toEqual(row);
  });

  it("answers a replay with an access token of its own; both access tokens are valid", async () => {
    const { pair } = await refreshFirst();
    const replay = await refreshFirst();
    expect(replay.pair.access).not.toBe(pair.access);
    for (const { access } of [pair, replay.pair]) expect((await authenticate(auth.deps, access)).sessionId).toBe(id);
  });

  it("answers a replay until the last second of the reuse interval, whatever the idempotency key", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    auth.clock.advance(10);
    expect((await refreshFirst()).pair.refresh).toBe(pair.refresh);
    expect((await refreshFirst({ idempotencyKey: otherKey })).pair.refresh).toBe(pair.refresh);
  });

  it("refuses a replay a second after the reuse interval, which begins with the rotation and does not move", async () => {
    await refreshFirst();
    for (const seconds of [6, 4]) {
      auth.clock.advance(seconds);
      expect((await refreshFirst()).outcome).toBe("replayed");
    }
    auth.clock.advance(1);
    await expectRefused(refreshFirst(), "token_revoked", { sessionEnded: true });
  });

  it("answers a replay hours later with the idempotency key of the rotation", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    auth.clock.advance(8 * 3_600);
    const replay = await refreshFirst({ idempotencyKey });
    expect(replay).toMatchObject({ outcome: "replayed", pair: { refresh: pair.refresh } });
    expect(replay.pair.refreshExpiresIn).toBe(2_592_000 - 8 * 3_600);
  });

  it("answers a replay within the reuse interval with an access token that ends with the first one, without a write", async () => {
    const { pair } = await refreshFirst();
    const [row, { expiresAt }] = [await rowOf(auth, id), auth.deps.tokens.verifyAccess(pair.access)];
    auth.clock.advance(7);
    const replay = await refreshFirst();
    expect(replay.pair.accessExpiresIn).toBe(1_800 - 7);
    expect(auth.deps.tokens.verifyAccess(replay.pair.access).expiresAt).toBe(expiresAt);
    expect(await rowOf(auth, id)).toEqual(row);
  });

  it("answers a late replay with the same idempotency key with a whole access token, and the row notes its end", async () => {
    await refreshFirst({ idempotencyKey });
    const row = await rowOf(auth, id);
    auth.clock.advance(1_000);
    const { outcome, pair } = await refreshFirst({ idempotencyKey });
    expect([outcome, pair.accessExpiresIn]).toEqual(["replayed", 1_800]);
    expect(await rowOf(auth, id)).toEqual({ ...row, accessUntil: testStart + 1_000 + 1_800 });
  });

  it("never answers a replay with an access token that has nearly expired", async () => {
    const short = await createTestAuth({ settings: { accessTokenLifetime: 8 } });
    const { pair, session } = await logIn(short);
    await refresh(short.deps, pair.refresh);
    for (const [wait, left] of [
      [4, 4],
      [5, 8],
    ] as const) {
      short.clock.advance(wait);
      const replay = await refresh(short.deps, pair.refresh);
      expect([replay.outcome, replay.pair.accessExpiresIn]).toEqual(["replayed", left]);
    }
    expect((await rowOf(short, session.id)).accessUntil).toBe(testStart + 9 + 8);
    await short.close();
  });

  it("answers a replay with reuseInterval 0 only in the second of the rotation", async () => {
    const strict = await createTestAuth({ settings: { reuseInterval: 0 } });
    const { pair } = await logIn(strict);
    await refresh(strict.deps, pair.refresh);
    expect((await refresh(strict.deps, pair.refresh)).outcome).toBe("replayed");
    strict.clock.advance(1);
    await expectRefused(refresh(strict.deps, pair.refresh), "token_revoked", { sessionEnded: true });
    await strict.close();
  });

  it("emits the outcome replayed with the presented generation", async () => {
    await refreshFirst();
    await refreshFirst();
    const outcomes = eventsOf(auth, "refresh").map(({ outcome, generation }) => [outcome, generation]);
    expect(outcomes).toEqual([
      ["rotated", 0],
      ["replayed", 0],
    ]);
  });

  it("refuses a replay once the session is revoked", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    await logoutByRefreshToken(auth.deps, pair.refresh as string);
    await expectRefused(refreshFirst({ idempotencyKey }), "token_revoked", { sessionEnded: true });
  });
});

describe("step 3c of a refresh", () => {
  it("revokes the session if the previous token comes late, without an idempotency key or with another one", async () => {
    for (const options of [{}, { idempotencyKey: otherKey }]) {
      const { session, pair } = await logIn(auth);
      await refresh(auth.deps, pair.refresh, { idempotencyKey });
      auth.clock.advance(11);
      await expectRefused(refresh(auth.deps, pair.refresh, options), "token_revoked", { sessionEnded: true });
      expect(await rowOf(auth, session.id)).toMatchObject({ revokeReason: "reuse", revokedAt: auth.clock.now() });
    }
  });

  it("revokes the session at once if the token is two generations old, even with its idempotency key", async () => {
    const { pair } = await refreshFirst({ idempotencyKey });
    await next(pair.refresh as string);
    await expectRefused(refreshFirst({ idempotencyKey }), "token_revoked", { sessionEnded: true });
    expect((await rowOf(auth, id)).revokeReason).toBe("reuse");
  });

  it("revokes this session and its access tokens through the feed, and no other session", async () => {
    const other = await logIn(auth);
    const newest = await next(await next(first.pair.refresh));
    await expectRefused(refreshFirst(), "token_revoked", { sessionEnded: true });
    await expectRefused(refresh(auth.deps, newest), "token_revoked", { sessionEnded: true });
    expect(() => authenticate(auth.deps, first.pair.access)).toThrow(/^token_revoked/);
    expect((await refresh(auth.deps, other.pair.refresh)).outcome).toBe("rotated");
    expect(await authenticate(auth.deps, other.pair.access)).toMatchObject({ sessionId: other.session.id });
    const read = { after: null, since: testStart, nodeId: null, beat: false, timeout: null };
    const { revocations } = await auth.store.feed.read(read);
    const until = testStart + auth.deps.settings.accessTokenLifetime;
    expect(revocations).toEqual([{ kind: "session", sessionId: id, at: testStart, until, reason: "reuse" }]);
  });

  it("emits sessions_revoked and reuse_detected once, and refused for the next attempt", async () => {
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

describe("step 3e of a refresh", () => {
  const secret = new Uint8Array(32).fill(9);
  const reason = "the store has lost this session's newer state";

  async function expectLost(attempt: () => Promise<unknown>): Promise<void> {
    const before = await rowOf(auth, id);
    auth.events.length = 0;
    await expectRefused(attempt(), "token_revoked", { reason });
    expect(auth.events).toMatchObject([{ type: "refresh", outcome: "state_lost", sessionId: id, reason }]);
    expect(await rowOf(auth, id)).toEqual(before);
  }

  it("emits state_lost and revokes nothing for a genuine token of a later generation than the row's", async () => {
    await expectLost(() => firstWith({ generation: 1 }));
    await expectLost(() => firstWith({ generation: 7, secret }));
    expect((await refreshFirst()).outcome).toBe("rotated");
  });

  it("emits state_lost and revokes nothing for a genuine token with another secret than the row's", async () => {
    await expectLost(() => firstWith({ secret }));
    const newest = await next(first.pair.refresh);
    await expectLost(() => firstWith({ secret }));
    expect((await refresh(auth.deps, newest)).outcome).toBe("rotated");
  });
});
