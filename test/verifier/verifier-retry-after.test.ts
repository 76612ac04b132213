import { afterEach, describe, expect, it } from "vitest";
import { createManualTime } from "../support/manual-time.ts";
import { createPeer, toRequest } from "./peer.ts";
import { closeVerifiers, setUp } from "./set-up.ts";

afterEach(closeVerifiers);

/** Requests to an issuer that refuses them, with this header. */
function toRefusing(retryAfter: string) {
  const asked: string[] = [];
  const fetch = (async (input: string) => {
    asked.push(new URL(input).pathname);
    return new Response(null, { status: 503, headers: { "Retry-After": retryAfter } });
  }) as typeof globalThis.fetch;
  const countOf = (path: string) => asked.filter((each) => each.endsWith(path)).length;
  return { fetch, feed: () => countOf("/revocations/"), keys: () => countOf("/jwks.json") };
}

describe("a verifier whose issuer answers with Retry-After", () => {
  it.each(["stream", "poll"] as const)(
    "waits that long before it reads keys and feed again (%s)",
    async (revocations) => {
      const issuer = toRefusing("8");
      const { time } = setUp({ revocations, fetch: issuer.fetch });
      await time.advance(7.9);
      expect([issuer.feed(), issuer.keys()]).toEqual([1, 1]);
      await time.advance(2);
      expect([issuer.feed(), issuer.keys()]).toEqual([2, 2]);
    },
  );

  it("waits for little more than ten seconds, if it is asked to wait for a day", async () => {
    const issuer = toRefusing("86400");
    const { time } = setUp({ fetch: issuer.fetch });
    await time.advance(9.9);
    expect([issuer.feed(), issuer.keys()]).toEqual([1, 1]);
    await time.advance(2);
    expect([issuer.feed(), issuer.keys()]).toEqual([2, 2]);
  });

  it("accepts no token after maxStaleness, however long it was asked to wait, and again after that", async () => {
    const issuer = toRefusing("60");
    let isRefusing = false;
    const fetch = ((input: string, init: RequestInit) =>
      isRefusing ? issuer.fetch(input, init) : set.peer.fetch(input, init)) as typeof globalThis.fetch;
    const set = setUp({ revocations: "poll", maxStaleness: 10, fetch });
    const token = set.peer.mint();
    await set.time.advance(1);
    expect(set.codeOf(token)).toBeUndefined();
    isRefusing = true;
    await set.time.advance(8);
    expect(set.codeOf(token)).toBeUndefined();
    await set.time.advance(6);
    for (let seconds = 15; seconds < 60; seconds += 5) {
      expect(set.codeOf(token)).toBe("unavailable");
      await set.time.advance(5);
    }
    expect(issuer.feed()).toBeLessThan(7);
    isRefusing = false;
    await set.time.advance(15);
    expect(set.codeOf(token)).toBeUndefined();
  });

  it("ignores a date, because it compares no clocks", async () => {
    const issuer = toRefusing("Fri, 31 Dec 2100 23:59:59 GMT");
    const { time } = setUp({ fetch: issuer.fetch });
    await time.advance(10);
    expect(issuer.feed()).toBeGreaterThan(2);
    expect(issuer.keys()).toBeGreaterThan(2);
  });

  it("sends nothing for a request that needs what is new, if it pulls", async () => {
    const issuer = toRefusing("8");
    const { time, verifier } = setUp({ revocations: "pull", fetch: issuer.fetch });
    const token = createPeer(createManualTime()).mint();
    const ask = () => verifier.authenticateAsync(toRequest(token)).catch(({ code }) => code);
    for (let seconds = 0; seconds < 8; seconds += 2) {
      expect(await ask()).toBe("unavailable");
      await time.advance(1.9);
    }
    expect([issuer.feed(), issuer.keys()]).toEqual([1, 1]);
    await time.advance(2);
    await ask();
    expect([issuer.feed(), issuer.keys()]).toEqual([2, 2]);
  });
});
