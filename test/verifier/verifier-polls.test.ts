import { afterEach, describe, expect, it } from "vitest";
import { generateKeyMaterial } from "../../src/crypto/keys/key-material.ts";
import { materials } from "../crypto/keys/sample-keys.ts";
import { settled } from "../support/manual-time.ts";
import { session, toRequest } from "./peer.ts";
import { closeVerifiers, setUp, setUpReady } from "./set-up.ts";

afterEach(closeVerifiers);

const revoked = [["s", session.sessionId]] as const;
const toWait = ({ query }: { query: URLSearchParams }) => query.get("wait");

describe("a verifier with long polls", () => {
  const polls = { revocations: "poll" } as const;

  it("waits for news at the issuer, at most for a third of maxStaleness, and stays fresh", async () => {
    const { time, peer, codeOf, verifier, feedRequests } = await setUpReady(polls);
    const token = peer.mint();
    for (let i = 0; i < 60; i += 1) {
      await time.advance(1);
      expect(codeOf(token)).toBeUndefined();
      expect(verifier.status().staleness).toBeLessThan(3.4);
    }
    expect(new Set(feedRequests().map(toWait))).toEqual(new Set([null, "3.3"]));
    expect(feedRequests().length).toBeLessThanOrEqual(23);
  });

  it("applies a revocation as soon as the issuer has it, and continues at once, which acknowledges it", async () => {
    const { time, peer, codeOf, feedRequests } = await setUpReady(polls);
    await time.advance(1);
    await peer.revoke(revoked, { awaited: true });
    expect(codeOf(peer.mint())).toBe("token_revoked");
    await time.advance(0.011);
    expect(feedRequests().at(-1)?.query.get("after")).toBe("1".padStart(64, "0"));
    expect(feedRequests().every(({ method, query }) => method === "GET" && query.has("reader"))).toBe(true);
  });

  it("applies nothing of a body that isn't exactly one frame", async () => {
    const { peer } = setUp(polls);
    await peer.revoke(revoked);
    let extra = Buffer.from("TPR1");
    const send = (async (input: string, init: RequestInit) => {
      if (!input.includes("/revocations/")) return peer.fetch(input, init);
      return new Response(Buffer.concat([peer.toFrame(0, { full: true }), extra]));
    }) as typeof fetch;
    const { time, verifier } = setUp({ ...polls, fetch: send });
    for (const bytes of [extra, peer.toFrame(0, { full: true })]) {
      extra = Buffer.from(bytes);
      await time.advance(6);
      expect(verifier.status()).toMatchObject({ entries: 0, ready: false });
    }
    extra = Buffer.alloc(0);
    await time.advance(6);
    expect(verifier.status()).toMatchObject({ entries: 1, ready: true });
  });

  it("doesn't hammer an issuer, or a proxy, that holds no poll", async () => {
    const { time, peer, feedRequests } = setUp(polls);
    peer.holds = false;
    await time.advance(10);
    expect(feedRequests().length).toBeLessThanOrEqual(42);
    expect(feedRequests().length).toBeGreaterThanOrEqual(20);
    expect(peer.open).toBe(0);
  });

  it("doesn't hammer servers that answer at once with what it knows", async () => {
    const { time, peer, codeOf, feedRequests } = await setUpReady(polls);
    await peer.revoke([["s", "another"]]);
    peer.repeats = true;
    await time.advance(10);
    expect(feedRequests().length).toBeLessThanOrEqual(42);
    await peer.revoke(revoked);
    await time.advance(0.3);
    expect(codeOf(peer.mint())).toBe("token_revoked");
  });

  it("stays fresh with the shortest maxStaleness, too", async () => {
    const { time, peer, codeOf, feedRequests } = await setUpReady({ ...polls, maxStaleness: 0.25 });
    const token = peer.mint();
    for (let i = 0; i < 100; i += 1) {
      await time.advance(0.05);
      expect(codeOf(token)).toBeUndefined();
    }
    expect(feedRequests().length).toBeLessThanOrEqual(120);
  });

  it("tries again after a failure, and says when it is connected again", async () => {
    const { time, peer, typesOf, codeOf } = await setUpReady(polls);
    peer.feed = 502;
    await time.advance(20);
    expect(codeOf(peer.mint())).toBe("unavailable");
    peer.feed = "up";
    await time.advance(5);
    expect(codeOf(peer.mint())).toBeUndefined();
    expect(typesOf().filter((type) => /connected$/.test(type))).toEqual(["connected", "disconnected", "connected"]);
  });
});

describe("a verifier that pulls", () => {
  const pulls = { revocations: "pull" } as const;

  it("does nothing before a request, and keeps no timer", async () => {
    const { time, peer } = setUp(pulls);
    await time.advance(60);
    expect([peer.requests, time.pending]).toEqual([[], 0]);
  });

  it("reads at a request, and uses that for pullInterval", async () => {
    const { time, peer, verifier, feedRequests } = setUp(pulls);
    const token = peer.mint();
    const ask = () => verifier.authenticateAsync(toRequest(token));
    expect(await ask()).toMatchObject(session);
    await time.advance(0.4);
    for (let i = 0; i < 10; i += 1) await ask();
    expect(feedRequests()).toHaveLength(1);
    await time.advance(0.2);
    await Promise.all([ask(), ask(), ask()]);
    expect(feedRequests()).toHaveLength(2);
    expect(feedRequests().map(({ query }) => query.get("stream"))).toEqual([null, null]);
    await peer.revoke(revoked);
    expect(await ask()).toMatchObject(session);
    await time.advance(0.6);
    await expect(ask()).rejects.toMatchObject({ code: "token_revoked" });
    expect(time.pending).toBe(0);
  });

  it("answers check without a promise if nothing must be read", async () => {
    const { time, peer, verifier } = setUp(pulls);
    const check = () => verifier.check(toRequest(peer.mint()));
    expect(check()).toBeInstanceOf(Promise);
    expect(await check()).toMatchObject({ ok: true });
    expect(check()).toMatchObject({ ok: true, authentication: session });
    await time.advance(1);
    expect(await check()).toMatchObject({ ok: true });
    expect(await verifier.check(toRequest("garbage"))).toMatchObject({ ok: false, response: { status: 401 } });
  });

  it("reads nothing for a request without a token, or with one that isn't genuine", async () => {
    const { time, peer, verifier } = await setUpReady(pulls);
    await time.advance(1);
    const { length } = peer.requests;
    for (const request of [{ headers: {} }, toRequest("garbage"), toRequest(`${peer.mint()}x`)]) {
      await expect(verifier.authenticateAsync(request)).rejects.toMatchObject({ code: /not_auth|invalid/ });
    }
    expect(peer.requests).toHaveLength(length);
  });

  it("needs authenticateAsync", async () => {
    const { peer, verifier } = await setUpReady(pulls);
    expect(() => verifier.authenticate(toRequest(peer.mint()))).toThrow(
      expect.objectContaining({ code: "unavailable", reason: 'revocations: "pull" needs authenticateAsync' }),
    );
  });

  it("accepts tokens without the issuer until what it knows is too old", async () => {
    const { time, peer, verifier, feedRequests } = await setUpReady(pulls);
    peer.feed = "down";
    const ask = () => verifier.authenticateAsync(toRequest(peer.mint()));
    await time.advance(9);
    for (let i = 0; i < 5; i += 1) expect(await ask()).toMatchObject(session);
    expect(feedRequests()).toHaveLength(2);
    await time.advance(1.1);
    await expect(ask()).rejects.toMatchObject({ code: "unavailable" });
    expect(verifier.status()).toMatchObject({ ready: false, connected: false });
    peer.feed = "up";
    await time.advance(0.5);
    expect(await ask()).toMatchObject(session);
  });

  it("waits two seconds for the issuer, and no longer", async () => {
    const { time, peer, verifier } = await setUpReady(pulls);
    await time.advance(1);
    peer.feed = "silent";
    let result: unknown;
    void verifier.authenticateAsync(toRequest(peer.mint())).then((claims) => {
      result = claims;
    });
    await time.advance(1.9);
    expect(result).toBeUndefined();
    await time.advance(0.2);
    expect(result).toMatchObject(session);
  });

  it("reads the keys when the frame names others, and every hour", async () => {
    const { time, peer, verifier, keyRequests } = await setUpReady(pulls);
    const other = generateKeyMaterial();
    await time.advance(1);
    peer.publish(materials.ES256, other);
    expect(await verifier.authenticateAsync(toRequest(peer.mint({}, other)))).toMatchObject(session);
    expect(keyRequests()).toHaveLength(2);
    const unknown = peer.mint({}, generateKeyMaterial());
    await expect(verifier.authenticateAsync(toRequest(unknown))).rejects.toMatchObject({ code: "token_invalid" });
    await time.advance(1);
    await expect(verifier.authenticateAsync(toRequest(unknown))).rejects.toMatchObject({ code: "token_invalid" });
    expect(keyRequests()).toHaveLength(2);
    await time.advance(3_600);
    await verifier.authenticateAsync(toRequest(peer.mint()));
    expect(keyRequests()).toHaveLength(3);
  });

  it("reads the keys at once when they change twice within a second", async () => {
    const { time, peer, verifier, keyRequests } = await setUpReady(pulls);
    for (const published of [[materials.ES256, generateKeyMaterial()], [generateKeyMaterial()]]) {
      peer.publish(...published);
      await time.advance(0.6);
      const accepted = verifier.authenticateAsync(toRequest(peer.mint())).then(
        () => true,
        () => false,
      );
      expect(await accepted).toBe(published.length === 2);
    }
    expect(keyRequests()).toHaveLength(3);
  });

  it("answers 503 before the keys are known, and works when they are", async () => {
    const { time, peer, verifier } = setUp(pulls);
    peer.keys = "down";
    const ask = () => verifier.authenticateAsync(toRequest(peer.mint()));
    await expect(ask()).rejects.toMatchObject({ code: "unavailable" });
    peer.keys = "up";
    await time.advance(1);
    expect(await ask()).toMatchObject(session);
  });

  it("is ready when it has read everything, and tries every second until then", async () => {
    const { time, peer, verifier } = setUp(pulls);
    peer.feed = "down";
    let isReady = false;
    void verifier.ready().then(() => {
      isReady = true;
    });
    await time.advance(3);
    expect([isReady, time.pending]).toEqual([false, 1]);
    peer.feed = "up";
    await time.advance(1);
    await settled();
    expect([isReady, time.pending]).toEqual([true, 0]);
  });

  it("acknowledges a frame for which somebody waits", async () => {
    const { time, peer, verifier, feedRequests } = await setUpReady(pulls);
    await time.advance(1);
    peer.isAwaited = true;
    await peer.revoke(revoked);
    await expect(verifier.authenticateAsync(toRequest(peer.mint()))).rejects.toMatchObject({ code: "token_revoked" });
    await settled();
    expect(feedRequests().at(-1)?.method).toBe("POST");
  });
});
