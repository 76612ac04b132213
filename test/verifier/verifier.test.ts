import { afterEach, describe, expect, it } from "vitest";
import { AuthError } from "../../src/core/errors.ts";
import { materials } from "../crypto/keys/sample-keys.ts";
import { settled } from "../support/manual-time.ts";
import { credential, session, toRequest } from "./peer.ts";
import { closeVerifiers, setUp, setUpReady } from "./set-up.ts";

afterEach(closeVerifiers);

describe("a verifier", () => {
  it("accepts a token when it has read the keys and the revocations", async () => {
    const { peer, verifier, typesOf } = await setUpReady();
    expect(verifier.authenticate(toRequest(peer.mint()))).toMatchObject(session);
    expect(verifier.verify(peer.mint())).toMatchObject(session);
    expect(await verifier.authenticateAsync(toRequest(peer.mint()))).toMatchObject(session);
    expect(verifier.check(toRequest(peer.mint()))).toMatchObject({ ok: true, authentication: session });
    expect(verifier.status()).toEqual({
      ...{ ready: true, connected: true, lastError: null, staleness: 0.01, entries: 0, bytes: 64, acceptedStale: 0 },
      keys: [materials.ES256.kid],
      readers: null,
    });
    expect(typesOf().sort()).toEqual(["connected", "keys_changed"]);
  });

  it("asks as the page docs/verifier/README.md says", async () => {
    const { feedRequests, keyRequests } = await setUpReady({ maxStaleness: 5 });
    const [request, ...more] = feedRequests();
    expect(more).toEqual([]);
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      stream: "1",
      lease: "5000",
      reader: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(request?.headers.get("authorization")).toBe(`Bearer ${credential}`);
    expect(keyRequests()).toHaveLength(1);
    expect(keyRequests()[0]?.headers.get("authorization")).toBeNull();
  });

  it("asks where the issuer is, if that isn't at its name", async () => {
    const { time, peer } = setUp({ url: "http://proxy.internal/id/", settings: { authPath: "/auth" } });
    await time.advance(0.01);
    expect(peer.requests.map(({ path }) => path).sort()).toEqual([
      "/id/.well-known/jwks.json",
      "/id/auth/revocations/",
    ]);
  });

  it("refuses with 503 until it has read both, and never with 401", async () => {
    const { time, peer, verifier, codeOf } = setUp();
    const token = peer.mint();
    peer.keys = "down";
    expect(codeOf(token)).toBe("unavailable");
    await time.advance(0.01);
    expect(codeOf(token)).toBe("unavailable");
    peer.keys = "up";
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(30);
    expect(verifier.status().keys).not.toEqual([]);
    expect(codeOf(token)).toBe("unavailable");
    peer.feed = "up";
    const ready = verifier.ready();
    await time.advance(6);
    await ready;
    expect(codeOf(token)).toBeUndefined();
  });

  it("refuses a text that isn't a token with 401 even then", () => {
    const { codeOf, verifier } = setUp();
    expect(codeOf("garbage")).toBe("token_invalid");
    expect(codeOf("a.b.c")).toBe("token_invalid");
    expect(() => verifier.authenticate({ headers: {}, method: "GET" })).toThrow(
      expect.objectContaining({ code: "not_authenticated" }),
    );
  });

  it.each<[string, Parameters<Awaited<ReturnType<typeof setUpReady>>["peer"]["revoke"]>[0], string | undefined]>([
    ["a session", [["s", session.sessionId]], "token_revoked"],
    ["another session", [["s", "another"]], undefined],
    ["a token", [["t", "5f0e2d1c3b4a59687786a5b4c3d2e1f0"]], "token_revoked"],
    ["a user", [["u", "42", 4]], "token_revoked"],
    ["a user up to the token's epoch", [["u", "42", 3]], undefined],
    ["another user", [["u", "43", 4]], undefined],
    [
      "a user's other sessions",
      [
        ["x", session.sessionId, 4],
        ["u", "42", 4],
      ],
      undefined,
    ],
    [
      "a user after an exception",
      [
        ["x", session.sessionId, 4],
        ["u", "42", 5],
      ],
      "token_revoked",
    ],
    ["everything", [["a", "", 1]], "token_revoked"],
  ])("applies the revocation of %s as soon as it comes", async (_, entries, code) => {
    const { peer, codeOf } = await setUpReady();
    const token = peer.mint({ tokenId: "5f0e2d1c3b4a59687786a5b4c3d2e1f0" });
    expect(codeOf(token)).toBeUndefined();
    await peer.revoke(entries);
    expect(codeOf(token)).toBe(code);
    // Also a token that it sees for the first time.
    expect(codeOf(peer.mint({ tokenId: "5f0e2d1c3b4a59687786a5b4c3d2e1f0" }))).toBe(code);
  });

  it("knows what was revoked before it started", async () => {
    const { time, peer, verifier, codeOf } = setUp();
    await peer.revoke([["s", session.sessionId]]);
    const ready = verifier.ready();
    await time.advance(0.01);
    await ready;
    expect(codeOf(peer.mint())).toBe("token_revoked");
    expect(codeOf(peer.mint({ sessionId: "another" }))).toBeUndefined();
    expect(verifier.status().entries).toBe(1);
  });

  it("forgets a revocation when no token can be left that it revokes", async () => {
    const { time, peer, verifier, live } = await setUpReady({ leeway: 10 });
    await peer.revoke([["s", session.sessionId]], { until: time.clock.now() + 5 });
    await live(74);
    expect(verifier.status().entries).toBe(1);
    await live(4);
    expect(verifier.status().entries).toBe(0);
  });

  it("refuses every token after close", async () => {
    const { time, peer, verifier, codeOf } = await setUpReady();
    const token = peer.mint();
    expect(codeOf(token)).toBeUndefined();
    verifier.close();
    expect(codeOf(token)).toBe("unavailable");
    expect(codeOf(peer.mint())).toBe("unavailable");
    await expect(verifier.authenticateAsync(toRequest(token))).rejects.toMatchObject({ code: "unavailable" });
    await expect(verifier.ready()).rejects.toThrow(AuthError);
    await settled();
    expect([peer.open, verifier.status().ready]).toEqual([0, false]);
    const { length } = peer.requests;
    await time.advance(120);
    expect(peer.requests).toHaveLength(length);
    expect(time.pending).toBe(0);
  });
});

describe("close()", () => {
  it.each([{ revocations: false, credential: undefined }, { revocations: "poll" }, { onStale: "accept" }] as const)(
    "lets a verifier with %s refuse every token",
    async (options) => {
      const { peer, verifier, codeOf } = await setUpReady(options as never);
      const token = peer.mint();
      expect(codeOf(token)).toBeUndefined();
      verifier.close();
      expect(codeOf(token)).toBe("unavailable");
    },
  );
});

describe("ready()", () => {
  it("rejects only by its signal", async () => {
    const { time, peer, verifier } = setUp();
    peer.keys = 500;
    peer.feed = 401;
    const controller = new AbortController();
    const reason = new Error("waited long enough");
    const outcome = verifier.ready({ signal: controller.signal }).catch((error: unknown) => error);
    await time.advance(3_600);
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    await expect(verifier.ready({ signal: controller.signal })).rejects.toBe(reason);
    expect(verifier.status()).toMatchObject({ ready: false, staleness: Number.POSITIVE_INFINITY });
  });

  it("rejects when the verifier is closed meanwhile", async () => {
    const { peer, verifier } = setUp();
    peer.feed = "silent";
    const outcome = verifier.ready().catch((error: unknown) => error);
    verifier.close();
    expect(await outcome).toMatchObject({ code: "unavailable" });
  });
});

describe("what a verifier reports", () => {
  it.each([
    [
      400,
      "the issuer can't serve this query (400): maxStaleness may be longer than its maxFeedLease, or a relay's longestLease",
    ],
    [401, "the issuer refused the credential (401)"],
    [403, "the credential lacks the scope feed (403)"],
    [404, "there is no such endpoint at the issuer's URL (404)"],
    [503, "the issuer is not ready (503)"],
    [302, "the issuer answered 302"],
    ["down", "the issuer can't be reached (ECONNREFUSED)"],
  ] as const)("says why the feed can't be read: %s", async (state, reason) => {
    const { time, peer, verifier } = setUp();
    peer.feed = state;
    await time.advance(0.1);
    expect(verifier.status()).toMatchObject({ connected: false, lastError: reason });
  });

  it("never holds the credential, not even if fetch quotes it", async () => {
    const { time, events, verifier } = setUp({
      fetch: async () => {
        throw new TypeError(`invalid header: Bearer ${credential}`, { cause: new Error(credential) });
      },
    });
    await time.advance(60);
    const told = JSON.stringify([events, verifier.status(), String(verifier)]);
    expect(events.length).toBeGreaterThan(0);
    expect(told).not.toContain(credential);
  });

  it("doesn't depend on what its listener throws", async () => {
    const { peer, codeOf } = await setUpReady({
      onEvent: () => {
        throw new Error("of the listener");
      },
    });
    expect(codeOf(peer.mint())).toBeUndefined();
  });
});
