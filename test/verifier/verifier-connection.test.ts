import { afterEach, describe, expect, it } from "vitest";
import { session, toRequest } from "./peer.ts";
import { closeVerifiers, setUp, setUpReady } from "./set-up.ts";

afterEach(closeVerifiers);

const revoked = [["s", session.sessionId]] as const;

describe("the stream of a verifier", () => {
  it("continues where it ended, and misses nothing that was revoked meanwhile", async () => {
    const { peer, time, codeOf, feedRequests, verifier } = await setUpReady();
    await peer.revoke([["s", "first"]]);
    await peer.hangUp();
    await peer.revoke(revoked);
    expect(codeOf(peer.mint())).toBeUndefined();
    await time.advance(1);
    expect(codeOf(peer.mint())).toBe("token_revoked");
    expect(feedRequests()).toHaveLength(2);
    expect(feedRequests()[1]?.query.get("after")).toBe("1".padStart(64, "0"));
    expect(verifier.status()).toMatchObject({ connected: true, entries: 2 });
  });

  it("is opened again after a random time that grows, and is short again after a frame", async () => {
    const { peer, time, feedRequests } = await setUpReady();
    const counts = async (...seconds: readonly number[]) => {
      const made: number[] = [];
      for (const one of seconds) {
        await time.advance(one);
        made.push(feedRequests().length);
      }
      return made;
    };
    peer.feed = "down";
    await peer.hangUp();
    // 0.6 s after the end; then, as the random number is a half: 0.6, 1.1, 2.1, 2.6 and 2.6 s after each failure.
    expect(await counts(0.59, 0.02, 0.58, 0.02, 1.08, 0.02, 2.08, 0.02, 2.58, 0.02, 2.58, 0.02)).toEqual([
      1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7,
    ]);
    peer.feed = "up";
    await time.advance(2.6);
    await peer.hangUp();
    expect(await counts(0.59, 0.02)).toEqual([8, 9]);
  });

  it("is given up if it is silent for maxStaleness, and opened again", async () => {
    const { peer, time, feedRequests, events } = await setUpReady();
    await time.advance(9.9);
    expect(feedRequests()).toHaveLength(1);
    await time.advance(1);
    expect(feedRequests()).toHaveLength(2);
    expect(peer.open).toBe(1);
    expect(events).toContainEqual({ type: "disconnected", reason: "the issuer was silent" });
  });

  it("is given up if the issuer doesn't answer for maxStaleness", async () => {
    const { peer, time, verifier } = setUp();
    peer.feed = "silent";
    await time.advance(9.9);
    expect(verifier.status().lastError).toBeNull();
    await time.advance(0.2);
    expect(verifier.status().lastError).toBe("the issuer was silent");
  });

  it("may be cut anywhere", async () => {
    const { peer, codeOf } = await setUpReady();
    await peer.revoke([["s", "first"]]);
    const bytes = Buffer.concat([peer.toFrame(1), peer.toFrame(0)]);
    await peer.send(...Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)));
    expect(codeOf(peer.mint({ sessionId: "first" }))).toBe("token_revoked");
  });

  it.each<[string, (frame: Uint8Array) => Uint8Array]>([
    ["no frame", () => new TextEncoder().encode("HTTP/1.1 502 Bad Gateway\r\n".repeat(4))],
    ["another version of the frame", (frame) => frame.map((byte, i) => (i === 3 ? byte + 1 : byte))],
    ["too many records", (frame) => frame.map((byte, i) => (i === 8 ? 0xff : byte))],
  ])("that sends %s is closed, and changes nothing", async (_, change) => {
    const { peer, time, codeOf, verifier, feedRequests } = await setUpReady();
    await peer.revoke(revoked);
    const before = verifier.status();
    await peer.send(change(peer.toFrame(0, { full: true })));
    expect(verifier.status()).toMatchObject({ connected: false, entries: before.entries });
    expect(peer.open).toBe(0);
    expect(codeOf(peer.mint())).toBe("token_revoked");
    await time.advance(1);
    expect(feedRequests()[1]?.query.get("after")).toBe("1".padStart(64, "0"));
  });

  it("that ends within a frame has not changed anything", async () => {
    const { peer, time, codeOf, verifier } = await setUpReady();
    await peer.send(peer.toFrame(0, { full: true, count: [] }).subarray(0, 40));
    await peer.hangUp();
    expect(verifier.status()).toMatchObject({ connected: false, lastError: "the feed ended within a frame" });
    await time.advance(1);
    await peer.revoke(revoked);
    const full = peer.toFrame(0, { full: true, count: [] });
    await peer.send(full.subarray(0, 63));
    expect(codeOf(peer.mint())).toBe("token_revoked");
    await peer.send(full.subarray(63));
    expect(codeOf(peer.mint())).toBeUndefined();
  });

  it("that begins with news instead of everything is closed", async () => {
    const { peer, time, verifier } = setUp();
    peer.neverFull = true;
    await peer.revoke(revoked);
    await time.advance(0.1);
    expect(verifier.status()).toMatchObject({ entries: 0, lastError: "the feed began in the middle" });
    expect(peer.open).toBe(0);
  });

  it("may begin with everything again: the issuer doesn't know the cursor any more", async () => {
    const { peer, time, codeOf, verifier } = await setUpReady();
    await peer.revoke(revoked);
    await peer.send(peer.toFrame(0, { full: true, count: [] }));
    expect(codeOf(peer.mint())).toBeUndefined();
    peer.restart();
    await peer.hangUp();
    await time.advance(1);
    expect(codeOf(peer.mint())).toBe("token_revoked");
    expect(verifier.status().entries).toBe(1);
  });

  it("may lead to a node that is behind: its full frame takes nothing away", async () => {
    const { peer, time, codeOf } = await setUpReady();
    await time.advance(2);
    await peer.revoke(revoked);
    peer.age = 1_000;
    await peer.send(peer.toFrame(0, { full: true, count: [] }));
    expect(codeOf(peer.mint())).toBe("token_revoked");
    await time.advance(1);
    await peer.send(peer.toFrame(0, { full: true, count: [] }));
    expect(codeOf(peer.mint())).toBeUndefined();
  });

  it("is acknowledged if somebody waits for a frame, and not otherwise", async () => {
    const { peer, feedRequests } = await setUpReady();
    const posts = () => feedRequests().filter(({ method }) => method === "POST");
    await peer.revoke([["s", "first"]]);
    expect(posts()).toEqual([]);
    await peer.revoke(revoked, { awaited: true });
    const [post] = posts();
    const reader = feedRequests()[0]?.query.get("reader");
    expect(Object.fromEntries(post?.query ?? [])).toEqual({ after: "2".padStart(64, "0"), reader });
    expect(post?.headers.get("authorization")).toMatch(/^Bearer tps_/);
  });
});

describe("the freshness of a verifier", () => {
  it("lets no request through when the revocations are too old, and says so once", async () => {
    const { peer, time, codeOf, verifier, typesOf, live } = await setUpReady();
    const token = peer.mint({ expiresAt: time.clock.now() + 3_600 });
    await live(60);
    expect(codeOf(token)).toBeUndefined();
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(10);
    expect(codeOf(token)).toBeUndefined();
    await time.advance(0.02);
    expect(codeOf(token)).toBe("unavailable");
    await time.advance(10);
    expect(verifier.status()).toMatchObject({ ready: false, connected: false });
    peer.feed = "up";
    await time.advance(5.1);
    expect(codeOf(token)).toBeUndefined();
    await live(5);
    expect(typesOf().filter((type) => type === "stale" || type === "fresh")).toEqual(["stale", "fresh"]);
  });

  it("counts from what the issuer knows, not from what arrives", async () => {
    const { peer, time, codeOf, live } = await setUpReady();
    const token = peer.mint();
    peer.age = 9_000;
    await live(3);
    expect(codeOf(token)).toBeUndefined();
    peer.age = 10_500;
    await live(10);
    expect(codeOf(token)).toBe("unavailable");
    peer.age = 1_500;
    await live(1);
    expect(codeOf(token)).toBeUndefined();
    // Frames that a link holds back, and then delivers one after the other.
    const frames: Uint8Array[] = [];
    for (let i = 0; i < 10; i += 1) {
      await time.advance(0.95);
      frames.push(peer.toFrame(0, { count: [] }));
    }
    expect(codeOf(token)).toBe("unavailable");
    await peer.send(...frames.slice(0, 1));
    expect(codeOf(token)).toBe("unavailable");
    await peer.send(...frames.slice(1));
    expect(codeOf(token)).toBeUndefined();
  });

  it("judges the token first: a refusal doesn't depend on the feed", async () => {
    const { peer, time, codeOf } = await setUpReady();
    const expired = peer.mint({ expiresAt: time.clock.now() });
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(31);
    expect(codeOf(expired)).toBe("token_expired");
    expect(codeOf(`${peer.mint()}x`)).toBe("token_invalid");
    expect(codeOf(peer.mint())).toBe("unavailable");
  });

  it("of a verifier that accepts stale revocations only stops it before the first load", async () => {
    const { peer, time, codeOf, verifier, typesOf } = setUp({ onStale: "accept" });
    const token = peer.mint({ expiresAt: time.clock.now() + 3_600 });
    peer.feed = "down";
    await time.advance(2);
    expect(codeOf(token)).toBe("unavailable");
    peer.feed = "up";
    await time.advance(3);
    await peer.revoke(revoked);
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(60);
    for (let i = 0; i < 10; i += 1) expect(codeOf(peer.mint({ sessionId: "another" }))).toBeUndefined();
    expect(codeOf(token)).toBe("token_revoked");
    expect(verifier.status()).toMatchObject({ acceptedStale: 10, connected: false });
    expect(typesOf().filter((type) => type === "accepted_stale")).toHaveLength(1);
  });

  it("is waited for by authenticateAsync and check, for half a second at most", async () => {
    const { peer, time, verifier } = setUp();
    const outcomes = [verifier.authenticateAsync(toRequest(peer.mint())), verifier.check(toRequest(peer.mint()))];
    await time.advance(0.01);
    expect(await outcomes[0]).toMatchObject(session);
    expect(await outcomes[1]).toMatchObject({ ok: true });
    // After a failure, nothing will come in time.
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(11);
    await expect(verifier.authenticateAsync(toRequest(peer.mint()))).rejects.toMatchObject({ code: "unavailable" });
    const slow = setUp();
    slow.peer.feed = "silent";
    const outcome = Promise.resolve(slow.verifier.check(toRequest(slow.peer.mint())));
    await slow.time.advance(0.51);
    expect(await outcome).toMatchObject({ ok: false, response: { status: 503 } });
  });
});

describe("the clocks of a verifier", () => {
  it("are compared with each other: while the machine is suspended, only the wall clock moves", async () => {
    const { peer, time, codeOf, events, live } = await setUpReady();
    await live(5);
    time.setWallClock(600);
    const token = peer.mint();
    expect(codeOf(token)).toBe("unavailable");
    await peer.beat();
    expect(codeOf(token)).toBe("unavailable");
    expect(events).toContainEqual({
      type: "disconnected",
      reason: "the clock of this machine was set, or it was suspended",
    });
    await time.advance(1);
    expect(codeOf(token)).toBeUndefined();
  });

  it("that were ahead have made it forget revocations, so it reads everything again when they are set back", async () => {
    const { peer, time, codeOf, live, verifier, feedRequests } = await setUpReady();
    const until = time.clock.now() + 1_800;
    await peer.revoke(revoked, { until });
    const token = peer.mint({ expiresAt: until });
    time.setWallClock(7_200);
    await live(5);
    expect(verifier.status().entries).toBe(0);
    time.setWallClock(-7_200);
    expect(codeOf(token)).toBe("unavailable");
    await live(2);
    expect(codeOf(token)).toBe("token_revoked");
    expect(feedRequests().at(-1)?.query.get("after")).toBeNull();
  });

  it("may be set back by a few seconds without a request being refused", async () => {
    const { peer, time, codeOf, live } = await setUpReady();
    const token = peer.mint();
    await live(3);
    time.setWallClock(-5);
    expect(codeOf(token)).toBeUndefined();
    await live(5);
    expect(codeOf(token)).toBeUndefined();
  });
});

it("relies on no frame of a stream after the wall clock was set back, because records were dropped while it was ahead", async () => {
  const { peer, time, codeOf, live, verifier } = await setUpReady();
  await peer.revoke([["s", session.sessionId]]);
  const token = peer.mint();
  expect(codeOf(token)).toBe("token_revoked");
  time.setWallClock(7_200);
  await live(60);
  expect(verifier.status().entries).toBe(0);
  time.setWallClock(-7_200);
  await peer.beat();
  expect(codeOf(token)).toBe("unavailable");
  await time.advance(1);
  expect(codeOf(token)).toBe("token_revoked");
});
