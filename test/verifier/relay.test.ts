import { afterEach, describe, expect, it } from "vitest";
import { createVerifierWith } from "../../src/verifier/create-verifier.ts";
import type { VerifierOptions } from "../../src/verifier/options.ts";
import type { Verifier } from "../../src/verifier/verifier.ts";
import { toCode } from "../crypto/forge.ts";
import { materials } from "../crypto/keys/sample-keys.ts";
import { settled } from "../support/manual-time.ts";
import { audience, credential, issuer, session } from "./peer.ts";
import { closeVerifiers, setUp, setUpReady } from "./set-up.ts";

const below: Verifier[] = [];

afterEach(() => {
  for (const verifier of below.splice(0)) verifier.close();
  closeVerifiers();
});

const own = `tps_${"r".repeat(43)}`;
const relay = { credentials: [own] };
const revoked = [["s", session.sessionId]] as const;

/** A verifier that reads from a relay, and what it asked. */
function readFrom(
  upper: Verifier,
  time: Awaited<ReturnType<typeof setUpReady>>["time"],
  options: Partial<VerifierOptions> = {},
) {
  const asked: Request[] = [];
  const state = { acknowledges: true };
  const verifier = createVerifierWith(
    {
      ...{ issuer, audience, credential: own, url: "https://relay.internal", clock: time.clock },
      async fetch(input, init) {
        const request = new Request(String(input), init as RequestInit);
        asked.push(request);
        if (request.method === "POST" && !state.acknowledges) return new Promise(() => {});
        return upper.feed(request);
      },
      ...options,
    },
    { schedule: time.schedule, random: () => 0.5 },
  );
  below.push(verifier);
  return { verifier, asked, state, codeOf: (token: string) => toCode(() => verifier.verify(token)) };
}

const posts = (requests: readonly { readonly method: string }[]) => requests.filter(({ method }) => method === "POST");

describe("a relay", () => {
  it("hands on what was revoked, and what will be, through two relays", async () => {
    // A relay's own lease is a little longer than that of its readers.
    const upper = await setUpReady({ relay: { ...relay, longestLease: 12 } });
    await upper.peer.revoke([["s", "before"]]);
    const middle = readFrom(upper.verifier, upper.time, { relay });
    await upper.time.advance(0.1);
    const lower = readFrom(middle.verifier, upper.time);
    await upper.live(2);
    const token = upper.peer.mint();
    for (const { codeOf } of [middle, lower]) {
      expect(codeOf(token)).toBeUndefined();
      expect(codeOf(upper.peer.mint({ sessionId: "before" }))).toBe("token_revoked");
    }
    await upper.peer.revoke(revoked);
    await upper.time.advance(0.03);
    await settled();
    expect([upper.codeOf(token), middle.codeOf(token), lower.codeOf(token)]).toEqual(Array(3).fill("token_revoked"));
    expect(upper.verifier.status().readers).toMatchObject({ streams: 1, records: 2 });
    expect(lower.verifier.status()).toMatchObject({
      ready: true,
      entries: 2,
      keys: [materials.ES256.kid],
      readers: null,
    });
  });

  it("hands on how old its knowledge is: nobody below counts it as fresh for longer", async () => {
    const upper = await setUpReady({ relay });
    const lower = readFrom(upper.verifier, upper.time);
    await upper.live(5);
    expect(lower.verifier.status().staleness).toBeLessThan(2.5);
    upper.peer.feed = "down";
    await upper.peer.hangUp();
    await upper.time.advance(8);
    expect(lower.codeOf(upper.peer.mint())).toBeUndefined();
    await upper.time.advance(2.1);
    expect(upper.codeOf(upper.peer.mint())).toBe("unavailable");
    expect(lower.codeOf(upper.peer.mint())).toBe("unavailable");
    expect((await upper.verifier.feed(toGet())).status).toBe(503);
  });

  it("asks for the lease of its most patient reader", async () => {
    const { feedRequests } = await setUpReady({ relay: { ...relay, longestLease: 60 } });
    expect(Number(feedRequests()[0]?.query.get("lease"))).toBeGreaterThan(60_000);
    expect(Number(feedRequests()[0]?.query.get("lease"))).toBeLessThan(62_000);
  });

  it("acknowledges only when its readers have", async () => {
    const upper = await setUpReady({ relay });
    const lower = readFrom(upper.verifier, upper.time);
    await upper.live(2);
    await upper.peer.revoke(revoked, { awaited: true });
    expect(posts(upper.peer.requests)).toEqual([]);
    await upper.time.advance(0.01);
    expect(posts(lower.asked)).toHaveLength(1);
    expect(lower.codeOf(upper.peer.mint())).toBe("token_revoked");
    await settled();
    expect(posts(upper.peer.requests)).toHaveLength(1);
  });

  it("waits for a reader that doesn't acknowledge until its lease is over", async () => {
    const upper = await setUpReady({ relay });
    const lower = readFrom(upper.verifier, upper.time);
    lower.state.acknowledges = false;
    await upper.live(2);
    await upper.peer.revoke(revoked, { awaited: true });
    lower.verifier.close();
    await upper.live(9);
    expect(posts(upper.peer.requests)).toEqual([]);
    await upper.live(3);
    expect(posts(upper.peer.requests)).toHaveLength(1);
  });

  it("doesn't acknowledge with the cursor of a new stream, either", async () => {
    const upper = await setUpReady({ relay });
    const lower = readFrom(upper.verifier, upper.time);
    lower.state.acknowledges = false;
    await upper.peer.revoke([["s", "first"]]);
    await upper.live(2);
    await upper.peer.revoke(revoked, { awaited: true });
    await upper.peer.revoke([["s", "third"]]);
    await upper.peer.hangUp();
    await upper.time.advance(1);
    const toNumber = () => Number.parseInt(upper.feedRequests().at(-1)?.query.get("after") ?? "", 16);
    expect(toNumber()).toBe(1);
    lower.verifier.close();
    await upper.live(12);
    await upper.peer.hangUp();
    await upper.time.advance(1);
    expect(toNumber()).toBe(3);
  });

  it("acknowledges at once without readers", async () => {
    const { peer } = await setUpReady({ relay });
    await peer.revoke(revoked, { awaited: true });
    expect(posts(peer.requests)).toHaveLength(1);
  });

  it("hands on only what is new of a full frame", async () => {
    const upper = await setUpReady({ relay });
    await upper.peer.revoke([["s", "first"]]);
    const lower = readFrom(upper.verifier, upper.time);
    await upper.live(2);
    const { bytes } = lower.verifier.status();
    await upper.peer.hangUp();
    await upper.peer.revoke(revoked);
    upper.peer.restart();
    await upper.time.advance(0.65);
    expect(lower.codeOf(upper.peer.mint())).toBe("token_revoked");
    // One record, and perhaps an empty frame.
    expect((lower.verifier.status().bytes - bytes) % 64).toBe(16);
  });

  it("hands on the keys with their version, and new ones when it has read them", async () => {
    const upper = await setUpReady({ relay });
    const lower = readFrom(upper.verifier, upper.time);
    await upper.live(2);
    const token = upper.peer.mint({}, materials.EdDSA);
    expect(lower.codeOf(token)).toBe("token_invalid");
    upper.peer.keys = "down";
    upper.peer.publish(materials.ES256, materials.EdDSA);
    await upper.live(2);
    expect(lower.codeOf(upper.peer.mint())).toBeUndefined();
    await upper.live(9.5);
    // A key may have been retired: neither the relay nor its readers can know.
    expect(upper.codeOf(upper.peer.mint())).toBe("unavailable");
    expect(lower.codeOf(upper.peer.mint())).toBe("unavailable");
    upper.peer.keys = "up";
    await upper.live(32);
    expect(lower.codeOf(token)).toBeUndefined();
  });

  it("ends its streams when it is closed, and serves nothing any more", async () => {
    const upper = await setUpReady({ relay });
    const lower = readFrom(upper.verifier, upper.time);
    await upper.live(2);
    upper.verifier.close();
    await settled();
    expect((await upper.verifier.feed(toGet())).status).toBe(503);
    await upper.time.advance(11);
    expect(lower.codeOf(upper.peer.mint())).toBe("unavailable");
  });

  it("forgets records as the issuer does", async () => {
    const upper = await setUpReady({ relay });
    await upper.peer.revoke(revoked, { until: upper.time.clock.now() + 1 });
    expect(upper.verifier.status().readers?.records).toBe(1);
    await upper.live(430);
    expect(upper.verifier.status().readers?.records).toBe(0);
  });
});

function toGet(query = "", headers: Record<string, string> = { Authorization: `Bearer ${own}` }): Request {
  return new Request(`https://relay.internal/api/auth/revocations/${query}`, { headers });
}

describe("a request to a relay", () => {
  it.each<[string, Request, number]>([
    ["without a credential", toGet("", {}), 401],
    ["with the issuer's credential", toGet("", { Authorization: `Bearer ${credential}` }), 401],
    ["with something that is no credential", toGet("", { Authorization: "Bearer x" }), 401],
    ["with the credential as a password", toGet("", { Authorization: `Basic ${btoa(`name:${own}`)}` }), 200],
    ["with a wrong query", toGet("?wait=60"), 400],
    ["with a longer lease than the relay's", toGet("?lease=3600000"), 400],
    ["for everything", toGet("?lease=10000"), 200],
    ["with another method", new Request(toGet(), { method: "DELETE" }), 405],
    ["for the keys, without a credential", new Request("https://relay.internal/.well-known/jwks.json"), 200],
  ])("%s is answered", async (_, request, status) => {
    const { verifier } = await setUpReady({ relay });
    const response = await verifier.feed(request);
    expect(response.status).toBe(status);
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    if (status === 401) expect(response.headers.get("WWW-Authenticate")).toBe('Basic realm="services"');
  });

  it("is answered with 503 before the relay has read anything", async () => {
    const { verifier } = setUp({ relay });
    expect((await verifier.feed(toGet())).status).toBe(503);
    expect((await verifier.feed(new Request("https://relay.internal/.well-known/jwks.json"))).status).toBe(503);
  });

  it("may be for JSON", async () => {
    const { verifier, peer } = await setUpReady({ relay });
    await peer.revoke(revoked);
    const response = await verifier.feed(toGet("", { Authorization: `Bearer ${own}`, Accept: "application/json" }));
    expect(await response.json()).toMatchObject({ full: true, revocations: [{ value: 1 }] });
  });

  it("is not served by a verifier without the option", async () => {
    const { verifier } = await setUpReady();
    await expect(verifier.feed(toGet())).rejects.toThrow("relay is needed");
  });
});
