import { afterEach, describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import type { FrameFile } from "../../../src/server/sidecar/frame-file.ts";
import { createCheck, createRelayHandler, toSidecarHealth } from "../../../src/server/sidecar/handlers.ts";
import { session } from "../../verifier/peer.ts";
import { closeVerifiers, setUp, setUpReady } from "../../verifier/set-up.ts";

afterEach(closeVerifiers);

const toCheck = (token: string | null, { path = "/api/auth/check/", headers = {} as Record<string, string> } = {}) =>
  new Request(`http://127.0.0.1:9000${path}`, {
    headers: { ...(token === null ? {} : { Authorization: `Bearer ${token}` }), ...headers },
  });

const empty = { "x-user-id": "", "x-session-id": "", "x-token-id": "", "x-user-epoch": "", "x-token-expires": "" };

describe("the check of a sidecar", () => {
  it("lets a request through, and says who sent it", async () => {
    const { peer, verifier } = await setUpReady();
    const check = createCheck(defaultSettings, verifier);
    const response = await check.fetch(toCheck(peer.mint()));
    expect(response.status).toBe(200);
    expect(response.headers.get("X-User-Id")).toBe(session.userId);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
  });

  it.each([
    [
      "a revoked token",
      401,
      async ({ peer }) => {
        await peer.revoke([["s", session.sessionId]]);
        return peer.mint();
      },
    ],
    ["an expired token", 401, async ({ peer, time }) => peer.mint({ expiresAt: time.clock.now() - 31 })],
    ["no token", 401, async () => null],
    [
      "any token while it is stale",
      503,
      async ({ peer, time }) => {
        peer.feed = "down";
        await peer.hangUp();
        await time.advance(11);
        return peer.mint();
      },
    ],
  ] satisfies [string, number, (set: Awaited<ReturnType<typeof setUpReady>>) => Promise<string | null>][])(
    "refuses %s with %i and empty headers",
    async (_, status, toToken) => {
      const set = await setUpReady();
      const check = createCheck(defaultSettings, set.verifier);
      const token = await toToken(set);
      const pending = check.fetch(toCheck(token, { headers: { "X-User-Id": "admin" } }));
      await set.time.advance(1);
      const response = await pending;
      expect(response.status).toBe(status);
      expect(Object.fromEntries(response.headers)).toMatchObject(empty);
      expect(response.headers.get("Retry-After")).toBe(status === 503 ? "1" : null);
    },
  );

  it("requires the CSRF token of a request by cookie whose method isn't known to be safe", async () => {
    const { peer, verifier } = await setUpReady();
    const check = createCheck(defaultSettings, verifier);
    const cookie = `${defaultSettings.accessCookieName}=${peer.mint()}`;
    const toStatus = async (headers: Record<string, string>) =>
      (await check.fetch(toCheck(null, { headers: { Cookie: cookie, ...headers } }))).status;
    expect(await toStatus({ "X-Forwarded-Method": "GET", "Sec-Fetch-Site": "same-origin" })).toBe(200);
    expect(await toStatus({ "X-Forwarded-Method": "POST", "Sec-Fetch-Site": "same-origin" })).toBe(403);
    expect(await toStatus({ "Sec-Fetch-Site": "same-origin" })).toBe(403);
  });

  it("answers below its path too, and nothing else", async () => {
    const { verifier } = await setUpReady();
    const { handles } = createCheck(defaultSettings, verifier);
    const paths = [
      "/api/auth/check",
      "/api/auth/check/",
      "/api/auth/check/orders",
      "/api/auth/checks",
      "/api/auth/me/",
    ];
    expect(paths.map((path) => handles(path))).toEqual([true, true, true, false, false]);
  });
});

describe("the relay of a sidecar", () => {
  it("has the paths of the feed and the keys", async () => {
    const { verifier } = await setUpReady({ relay: { credentials: [`tps_${"r".repeat(43)}`] } });
    const { handles, fetch } = createRelayHandler(defaultSettings, verifier);
    const paths = [
      "/api/auth/revocations",
      "/api/auth/revocations/",
      "/.well-known/jwks.json",
      "/api/auth/revocations/x",
    ];
    expect(paths.map((path) => handles(path))).toEqual([true, true, true, false]);
    expect((await fetch(new Request("http://127.0.0.1/api/auth/revocations/"))).status).toBe(401);
    expect((await fetch(new Request("http://127.0.0.1/.well-known/jwks.json"))).status).toBe(200);
  });
});

describe("the health of a sidecar", () => {
  const toFile = (failure: string | null): FrameFile => ({
    ...{ failure, writes: 1, completeAt: 0 },
    stop: async () => {},
  });

  it("says what hasn't been read yet, and why", async () => {
    const { verifier, peer, time } = setUp();
    peer.keys = "down";
    await time.advance(0.1);
    expect(toSidecarHealth(verifier, null)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^the issuer's keys have not been read \(.+\)$/),
    });
  });

  it("says how old the revocations are", async () => {
    const { verifier, peer, time } = await setUpReady();
    expect(toSidecarHealth(verifier, toFile(null))).toEqual({ ok: true });
    peer.feed = "down";
    await peer.hangUp();
    await time.advance(12);
    expect(toSidecarHealth(verifier, null)).toMatchObject({
      reason: expect.stringMatching(/^the revocations are 1[12]\.\d s old/),
    });
  });

  it("is bad while the file can't be written", async () => {
    const { verifier } = await setUpReady();
    expect(toSidecarHealth(verifier, toFile("ENOSPC"))).toEqual({
      ok: false,
      reason: "the file can't be written (ENOSPC)",
    });
  });
});
