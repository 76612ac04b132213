import { afterEach, describe, expect, it } from "vitest";
import { session } from "./peer.ts";
import { closeVerifiers, setUpReady } from "./set-up.ts";

afterEach(closeVerifiers);

describe("the signal of a token at a verifier", () => {
  it.each<[string, Parameters<Awaited<ReturnType<typeof setUpReady>>["peer"]["revoke"]>[0], boolean]>([
    ["its session", [["s", session.sessionId]], true],
    ["its user", [["u", "42", 4]], true],
    ["itself", [["t", "t1"]], true],
    ["everything", [["a", "", 1]], true],
    ["another session", [["s", "another"]], false],
    [
      "its user's other sessions",
      [
        ["x", session.sessionId, 4],
        ["u", "42", 4],
      ],
      false,
    ],
  ])("is about the revocation of %s", async (_, entries, isAborted) => {
    const { peer, verifier } = await setUpReady();
    const signal = verifier.signal(verifier.verify(peer.mint({ tokenId: "t1" })));
    expect(signal.aborted).toBe(false);
    await peer.revoke(entries);
    expect(signal.aborted).toBe(isAborted);
    if (isAborted) expect(signal.reason).toMatchObject({ code: "token_revoked" });
  });

  it("also learns of a revocation from a full frame", async () => {
    const { peer, verifier, time } = await setUpReady();
    const signal = verifier.signal(verifier.verify(peer.mint()));
    await peer.hangUp();
    await peer.revoke([["s", session.sessionId]]);
    peer.restart();
    await time.advance(1);
    expect(signal.reason).toMatchObject({ code: "token_revoked" });
  });

  it("aborts when the token expires, the revocations are too old, or the verifier is closed", async () => {
    const { peer, verifier, time, live } = await setUpReady({ leeway: 5 });
    const toSignal = (lifetime: number) =>
      verifier.signal(verifier.verify(peer.mint({ expiresAt: time.clock.now() + lifetime })));
    const short = toSignal(10);
    const long = toSignal(600);
    await live(16);
    expect([short.reason?.code, long.aborted]).toEqual(["token_expired", false]);
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(13);
    expect(long.reason?.code).toBe("unavailable");
    peer.feed = "up";
    await time.advance(6);
    const last = toSignal(600);
    const claims = verifier.verify(peer.mint());
    expect(last.aborted).toBe(false);
    verifier.close();
    expect(last.reason?.code).toBe("unavailable");
    expect(verifier.signal(claims).reason?.code).toBe("unavailable");
  });

  it("follows another signal too, and is forgotten with it", async () => {
    const { peer, verifier, time } = await setUpReady();
    const controller = new AbortController();
    const before = time.pending;
    const signal = verifier.signal(verifier.verify(peer.mint()), { signal: controller.signal });
    expect(time.pending).toBe(before + 1);
    controller.abort(new Error("gone"));
    expect(signal.reason).toEqual(new Error("gone"));
    expect(time.pending).toBe(before);
  });

  it("of a verifier that accepts stale revocations aborts only when it is closed", async () => {
    const { peer, verifier, time } = await setUpReady({ onStale: "accept" });
    const signal = verifier.signal(verifier.verify(peer.mint()));
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(600);
    expect(signal.aborted).toBe(false);
    verifier.close();
    expect(signal.reason?.code).toBe("unavailable");
  });

  it("of a verifier without revocations aborts when the token expires, or it is closed", async () => {
    const { peer, verifier, time } = await setUpReady({ revocations: false, credential: undefined } as never);
    const [short, long] = [60, 600].map((lifetime) =>
      verifier.signal(verifier.verify(peer.mint({ expiresAt: time.clock.now() + lifetime }))),
    );
    await time.advance(91);
    expect([short?.reason?.code, long?.aborted]).toEqual(["token_expired", false]);
    verifier.close();
    expect(long?.reason?.code).toBe("unavailable");
    expect(time.pending).toBe(0);
  });
});
