import { afterEach, describe, expect, it } from "vitest";
import { toJwks } from "../../src/crypto/keys/jwks.ts";
import { generateKeyMaterial } from "../../src/crypto/keys/key-material.ts";
import { materials } from "../crypto/keys/sample-keys.ts";
import { settled } from "../support/manual-time.ts";
import { toRequest } from "./peer.ts";
import { closeVerifiers, setUp, setUpReady } from "./set-up.ts";

afterEach(closeVerifiers);

const other = generateKeyMaterial("ES256");

describe("the keys of a verifier", () => {
  it("are read again when a frame names others, and every hour", async () => {
    const { peer, time, live, codeOf, keyRequests, events } = await setUpReady();
    const token = peer.mint({}, other);
    expect(codeOf(token)).toBe("token_invalid");
    expect(keyRequests()).toHaveLength(1);
    peer.publish(materials.ES256, other);
    await peer.beat();
    await time.advance(0.01);
    expect(codeOf(token)).toBeUndefined();
    expect(codeOf(peer.mint())).toBeUndefined();
    expect(keyRequests()).toHaveLength(2);
    expect(events.filter(({ type }) => type === "keys_changed")).toHaveLength(2);
    await live(3_601);
    expect(keyRequests()).toHaveLength(3);
    expect(events.filter(({ type }) => type === "keys_changed")).toHaveLength(2);
  });

  it("are forgotten when the issuer has retired them, with the tokens that were verified", async () => {
    const { peer, time, codeOf } = await setUpReady();
    const token = peer.mint();
    expect(codeOf(token)).toBeUndefined();
    peer.publish(other);
    await peer.beat();
    await time.advance(0.01);
    expect(codeOf(token)).toBe("token_invalid");
  });

  it("that aren't known cost no request, however many tokens name them", async () => {
    const { peer, codeOf, keyRequests, live } = await setUpReady();
    for (let i = 0; i < 100; i += 1) expect(codeOf(peer.mint({}, generateKeyMaterial("EdDSA")))).toBe("token_invalid");
    await live(5);
    expect(keyRequests()).toHaveLength(1);
  });

  it("that aren't known are no reason for a 401 while the feed names others", async () => {
    const { peer, time, codeOf, verifier, live } = await setUpReady();
    peer.keys = "down";
    peer.publish(materials.ES256, other);
    await peer.beat();
    await time.advance(0.01);
    expect(codeOf(peer.mint({}, other))).toBe("unavailable");
    expect(codeOf(peer.mint())).toBeUndefined();
    expect(verifier.status().lastError).toBe("the issuer can't be reached (ECONNREFUSED)");
    peer.keys = "up";
    await live(2);
    expect(codeOf(peer.mint({}, other))).toBeUndefined();
    expect(codeOf(peer.mint({}, generateKeyMaterial()))).toBe("token_invalid");
  });

  it("that aren't known are no reason for a 401 while the revocations are too old: nothing says what is new", async () => {
    const { peer, time, codeOf } = await setUpReady();
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(11);
    expect(codeOf(peer.mint({}, other))).toBe("unavailable");
  });

  it("that are known don't count for longer than maxStaleness after the feed has named others that can't be read", async () => {
    const { peer, codeOf, live } = await setUpReady();
    const token = peer.mint();
    peer.keys = 500;
    peer.publish(other);
    await live(9);
    expect(codeOf(token)).toBeUndefined();
    await live(4);
    expect(codeOf(token)).toBe("unavailable");
    peer.keys = "up";
    await live(31);
    expect(codeOf(token)).toBe("token_invalid");
    expect(codeOf(peer.mint({}, other))).toBeUndefined();
  });

  it("that are known don't count for longer than maxStaleness, if only a body without them can be read", async () => {
    const { peer, codeOf, live } = await setUpReady();
    peer.announced = toJwks([other]).version;
    await live(9);
    expect(codeOf(peer.mint())).toBeUndefined();
    // A third set doesn't help.
    peer.publish(materials.ES256, materials.EdDSA);
    await live(4);
    expect(codeOf(peer.mint())).toBe("unavailable");
    peer.announced = null;
    await live(1);
    expect(codeOf(peer.mint())).toBeUndefined();
  });

  it("that are known don't count for longer than maxStaleness, if the newer ones never arrive", async () => {
    const { peer, codeOf, live } = await setUpReady();
    peer.keys = "silent";
    peer.publish(other);
    await live(12);
    expect(codeOf(peer.mint())).toBe("unavailable");
  });

  it("stay if the hourly read meets a node that is behind", async () => {
    const { peer, time, codeOf, live, keyRequests } = await setUpReady();
    peer.publish(other);
    await peer.beat();
    await time.advance(0.01);
    expect(codeOf(peer.mint())).toBe("token_invalid");
    peer.announced = toJwks([other]).version;
    peer.publish(materials.ES256);
    await live(3_610);
    expect(keyRequests().length).toBeGreaterThan(2);
    expect(codeOf(peer.mint())).toBe("token_invalid");
    expect(codeOf(peer.mint({}, other))).toBeUndefined();
  });

  it("don't follow a frame that is older than what is known", async () => {
    const { peer, time, codeOf, keyRequests } = await setUpReady();
    await time.advance(1);
    await peer.beat();
    peer.age = 5_000;
    peer.announced = "00000000";
    await peer.beat();
    await time.advance(0.01);
    expect(keyRequests()).toHaveLength(1);
    expect(codeOf(peer.mint({}, other))).toBe("token_invalid");
  });

  it("stay for maxStaleness if the issuer publishes none that can be used: an unknown one is no reason for a 401", async () => {
    const { peer, codeOf, live, events } = await setUpReady();
    peer.publishText('{"keys":[]}');
    peer.announced = "00000000";
    await live(2);
    expect(codeOf(peer.mint())).toBeUndefined();
    expect(codeOf(peer.mint({}, other))).toBe("unavailable");
    expect(events.at(-1)).toEqual({ type: "keys_failed", reason: "the issuer publishes no key that can be used" });
    await live(12);
    expect(codeOf(peer.mint())).toBe("unavailable");
  });

  it("aren't needed to refuse a token that names none", async () => {
    const { peer, codeOf, time } = setUp();
    peer.keys = "down";
    await time.advance(1);
    const [, payload, signature] = peer.mint().split(".");
    for (const kid of [undefined, "", 5]) {
      const header = Buffer.from(JSON.stringify({ alg: "ES256", kid })).toString("base64url");
      expect(codeOf(`${header}.${payload}.${signature}`)).toBe("token_invalid");
    }
    expect(codeOf(peer.mint())).toBe("unavailable");
  });

  it("that a node publishes which is behind are used, and read again after a second", async () => {
    const { peer, codeOf, live, keyRequests } = await setUpReady();
    peer.announced = toJwks([materials.ES256, other]).version;
    await live(5);
    expect(codeOf(peer.mint())).toBeUndefined();
    expect(codeOf(peer.mint({}, other))).toBe("unavailable");
    expect(keyRequests().length).toBeGreaterThanOrEqual(5);
    expect(keyRequests().length).toBeLessThanOrEqual(7);
    peer.announced = null;
    peer.publish(materials.ES256, other);
    await live(1.5);
    expect(codeOf(peer.mint({}, other))).toBeUndefined();
  });

  it("stay if the JWK Set can't be read any more or is malformed", async () => {
    const { peer, codeOf, live, verifier, events } = await setUpReady();
    peer.publishText("<html>");
    await live(3_601);
    expect(codeOf(peer.mint())).toBeUndefined();
    expect(verifier.status().lastError).toBe("the issuer's JWK Set is malformed");
    expect(events.at(-1)).toEqual({ type: "keys_failed", reason: "the issuer's JWK Set is malformed" });
    expect(verifier.status().keys).toEqual([materials.ES256.kid]);
  });

  it("are tried again after a second, and then less and less often", async () => {
    const { peer, time, keyRequests } = setUp();
    Object.assign(peer, { keys: "down", feed: "down" });
    await time.advance(0.5);
    expect(keyRequests()).toHaveLength(1);
    await time.advance(31.5);
    expect(keyRequests()).toHaveLength(6);
    await time.advance(120);
    expect(keyRequests()).toHaveLength(10);
  });

  it("that can't be read for five seconds count as a failure", async () => {
    const { peer, time, events } = setUp();
    peer.keys = "silent";
    await time.advance(5.5);
    expect(events).toContainEqual({ type: "keys_failed", reason: "the issuer was silent" });
  });

  it("can't be none: an empty set, as an issuer with an HMAC key publishes it, is a failure", async () => {
    const { peer, time, codeOf } = setUp();
    peer.publish();
    await time.advance(0.01);
    expect(codeOf(peer.mint())).toBe("unavailable");
  });

  it("that are being read are waited for by authenticateAsync and check", async () => {
    const { peer, time, verifier } = await setUpReady();
    peer.keys = "silent";
    peer.publish(materials.ES256, other);
    await peer.beat();
    await time.advance(0.01);
    const token = peer.mint({}, other);
    const answers = [verifier.authenticateAsync(toRequest(token)), verifier.check(toRequest(token))];
    peer.keys = "up";
    await time.advance(0.4);
    const late = await Promise.allSettled([...answers, time.advance(0.2)]);
    expect(late[0]).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    expect(late[1]).toMatchObject({ value: { ok: false, response: { status: 503 } } });
    await time.advance(7);
    await peer.beat();
    expect(await verifier.authenticateAsync(toRequest(token))).toMatchObject({ userId: "42" });
  });
});

describe("the keys of a verifier without revocations", () => {
  const without = { revocations: false, credential: undefined } as never;

  it("verify tokens, and no feed is read", async () => {
    const { peer, codeOf, time, verifier, feedRequests } = await setUpReady(without);
    await time.advance(60);
    expect(codeOf(peer.mint())).toBeUndefined();
    expect(feedRequests()).toEqual([]);
    expect(verifier.status()).toMatchObject({ ready: true, connected: true, staleness: Number.POSITIVE_INFINITY });
  });

  it("are read because of an unknown key, at most once in ten seconds", async () => {
    const { peer, codeOf, time, keyRequests } = await setUpReady(without);
    const token = peer.mint({}, other);
    for (let i = 0; i < 10; i += 1) expect(codeOf(token)).toBe("token_invalid");
    await time.advance(10);
    peer.publish(materials.ES256, other);
    for (let i = 0; i < 10; i += 1) expect(codeOf(token)).toBe("unavailable");
    await time.advance(0.01);
    expect(codeOf(token)).toBeUndefined();
    expect(keyRequests()).toHaveLength(2);
    const unknown = peer.mint({}, generateKeyMaterial());
    for (let i = 0; i < 200; i += 1) {
      await time.advance(0.1);
      expect(["token_invalid", "unavailable"]).toContain(codeOf(unknown));
    }
    expect(keyRequests().length).toBeLessThanOrEqual(4);
  });

  it("are no reason for a 401 before they are read, and while they can't be", async () => {
    const { peer, codeOf, time } = setUp(without);
    peer.keys = "down";
    expect(codeOf(peer.mint())).toBe("unavailable");
    await time.advance(3);
    expect(codeOf(peer.mint())).toBe("unavailable");
    peer.keys = "up";
    await time.advance(31);
    expect(codeOf(peer.mint())).toBeUndefined();
    peer.keys = "down";
    await time.advance(11);
    expect(codeOf(peer.mint({}, other))).toBe("unavailable");
    await time.advance(0.01);
    await settled();
    expect(codeOf(peer.mint({}, other))).toBe("unavailable");
  });
});
