import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { frameType, toRegisteredLease } from "../../../src/flows/feed-readers.ts";
import { revokeSessionsForUser } from "../../../src/flows/sessions/sessions.ts";
import { createHttpHandler } from "../../../src/http/router.ts";
import { type FrameHeader, readHeader, readRecord, toFingerprint } from "../../../src/revocation/readers/frame.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { addService, type TestService } from "../../support/services.ts";

let t: TestAuth;
let service: TestService;
beforeEach(() => start());
afterEach(() => t.close());

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  t = await createTestAuth({ settings });
  service = await addService(t, ["feed"], "reader");
}

async function restart(settings: Partial<Settings<AuthUser>>): Promise<void> {
  await t.close();
  await start(settings);
}

const get = (query = "", headers: HeadersInit = {}) =>
  t.send("GET", `/api/auth/revocations/${query}`, { headers: { ...service.bearer, ...headers } });

interface Frame extends FrameHeader {
  readonly fingerprints: readonly bigint[];
}

function parse(bytes: Uint8Array): Frame {
  const header = readHeader(bytes);
  if (header === null) throw new Error("not a frame");
  expect(bytes.length).toBe(64 + header.count * 16);
  const view = new DataView(bytes.buffer, bytes.byteOffset + 64);
  const fingerprints = Array.from({ length: header.count }, (_, index) => readRecord(view, index * 16).fingerprint);
  return { ...header, fingerprints };
}

const poll = async (query = "") => parse(new Uint8Array(await (await get(query)).arrayBuffer()));

/** Reads a stream frame by frame. */
async function openStream(query = "?stream=1", headers: HeadersInit = service.bearer) {
  const response = await t.send("GET", `/api/auth/revocations/${query}`, { headers });
  expect(response.status).toBe(200);
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  let buffer = Buffer.alloc(0);
  return {
    response,
    reader,
    async next(): Promise<Frame | null> {
      for (;;) {
        const header = readHeader(buffer);
        const length = header === null ? 64 : 64 + header.count * 16;
        if (header !== null && buffer.length >= length) {
          const frame = parse(new Uint8Array(buffer.subarray(0, length)));
          buffer = buffer.subarray(length);
          return frame;
        }
        const { done, value } = await reader.read();
        if (done) return null;
        buffer = Buffer.concat([buffer, value]);
      }
    },
  };
}

/** Expects that a stream ends. The clock stands still, so there are no empty frames. */
async function expectEnd(stream: { next(): Promise<Frame | null> }): Promise<void> {
  let hasEnded = false;
  const read = async () => {
    while ((await stream.next()) !== null);
    hasEnded = true;
  };
  void read();
  await expect.poll(() => hasEnded).toBe(true);
}

/** Revokes a new session of alice. @returns its fingerprint. */
async function revokeSession(): Promise<bigint> {
  const { access } = await t.logIn();
  const { sessionId } = t.deps.tokens.verifyAccess(access);
  await t.deps.flows.revokeSession(sessionId);
  return toFingerprint("s", sessionId);
}

describe("the revocation feed", () => {
  it("answers one full frame without a query, and what is new after a cursor", async () => {
    const first = await revokeSession();
    const response = await get();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": frameType,
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "content-length": "80",
    });
    const full = parse(new Uint8Array(await response.arrayBuffer()));
    expect(full).toMatchObject({ isFull: true, fingerprints: [first] });
    expect(await poll(`?after=${full.cursor}`)).toMatchObject({ isFull: false, count: 0 });
    const second = await revokeSession();
    expect(await poll(`?after=${full.cursor}`)).toMatchObject({ isFull: false, fingerprints: [second] });
  });

  it.each(["", "x", "0".repeat(64), "f".repeat(63), "é", "%00", "z".repeat(2_000)])(
    "answers a full frame, not an error, to the cursor %j",
    async (cursor) => {
      const fingerprint = await revokeSession();
      expect(await poll(`?after=${encodeURIComponent(cursor)}`)).toMatchObject({
        isFull: true,
        fingerprints: [fingerprint],
      });
    },
  );

  it("waits until something is revoked, and answers at once then", async () => {
    const { cursor } = await poll();
    const waiting = poll(`?after=${cursor}&wait=25`);
    const fingerprint = await revokeSession();
    expect(await waiting).toMatchObject({ isFull: false, fingerprints: [fingerprint] });
  });

  it("answers an empty frame when the time is over", async () => {
    const { cursor } = await poll();
    expect(await poll(`?after=${cursor}&wait=0.01`)).toMatchObject({ isFull: false, count: 0 });
  });

  it("sends frames without end, the first one with everything", async () => {
    const first = await revokeSession();
    const stream = await openStream();
    expect(stream.response.headers.get("Content-Length")).toBeNull();
    expect(stream.response.headers.get("X-Accel-Buffering")).toBe("no");
    expect(await stream.next()).toMatchObject({ isFull: true, fingerprints: [first] });
    const second = await revokeSession();
    expect(await stream.next()).toMatchObject({ isFull: false, fingerprints: [second] });
    await stream.reader.cancel();
    expect(t.deps.readers.stats().streams).toBe(0);
  });

  it("answers JSON to people, who accept it", async () => {
    const fingerprint = await revokeSession();
    const response = await get("", { Accept: "text/html, Application/JSON;q=0.9" });
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(await response.json()).toEqual({
      full: true,
      age_ms: expect.any(Number),
      keys: expect.stringMatching(/^[0-9a-f]{8}$/),
      cursor: expect.stringMatching(/^[0-9a-f]{64}$/),
      revocations: [{ fingerprint: fingerprint.toString(16).padStart(16, "0"), until: expect.any(Number), value: 1 }],
    });
    expect((await get("?stream=1", { Accept: "application/json" })).headers.get("Content-Type")).toBe(frameType);
  });

  it("answers HEAD without a body, and leaves no stream open", async () => {
    for (const query of ["", "?stream=1"]) {
      const response = await t.send("HEAD", `/api/auth/revocations/${query}`, { headers: service.bearer });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    expect(t.deps.readers.stats().streams).toBe(0);
  });

  it.each([
    ["wait=26", "wait"],
    ["wait=-1", "wait"],
    ["wait=x", "wait"],
    ["wait=", "wait"],
    ["stream=yes", "stream"],
    ["lease=249", "lease"],
    ["lease=3600001", "lease"],
    ["lease=1e3", "lease"],
    ["lease=300.5", "lease"],
    ["reader=", "reader"],
    ["reader=a%20b", "reader"],
    [`reader=${"x".repeat(65)}`, "reader"],
  ])("refuses the query %s, which would be misunderstood otherwise", async (query, name) => {
    for (const more of ["", "&stream=1"]) {
      const response = await get(`?${query}${query.startsWith("stream") ? "" : more}`);
      expect([response.status, Object.keys((await response.json()) as object)]).toEqual([400, [name]]);
    }
  });

  it.each<[string, Partial<Settings<AuthUser>>, number]>([
    ["60 s, and what a relay adds for its readers", {}, 61_080],
    ["maxFeedLease", { maxFeedLease: 300.1 }, 301_180],
    ["the node's own maxStaleness, if that is longer", { maxStaleness: 120 }, 121_080],
  ])("allows no longer leases than %s, and registers none", async (_, settings, longest) => {
    await restart(settings);
    const before = (await t.store.nodes.readRegistry()).longestLease;
    for (const query of [`?lease=${longest + 1}`, `?stream=1&lease=${longest + 1}`, "?lease=3600000"]) {
      const refused = await get(query);
      expect([refused.status, await refused.json()]).toEqual([
        400,
        { lease: [`Must be a whole number of milliseconds from 250 to ${longest}.`] },
      ]);
    }
    expect((await t.store.nodes.readRegistry()).longestLease).toBe(before);
    expect((await get(`?lease=${longest}`)).status).toBe(200);
    expect((await t.store.nodes.readRegistry()).longestLease).toBeGreaterThan(longest);
  });

  it("refuses readers that don't tell their lease if maxFeedLease is shorter than what is assumed of them", async () => {
    await restart({ maxFeedLease: 2, maxStaleness: 1 });
    expect((await get()).status).toBe(400);
    expect((await get("?lease=2000")).status).toBe(200);
  });

  it("accepts the lease of a relay whose readers have the longest maxStaleness that is allowed", async () => {
    for (const maxFeedLease of [2, 60, 3_000]) {
      await restart({ maxFeedLease, maxStaleness: 1 });
      expect((await get(`?lease=${toRegisteredLease(maxFeedLease * 1_000)}`)).status).toBe(200);
    }
  });

  it("answers 503 with Retry-After while the node is stale", async () => {
    t.goStale();
    for (const query of ["", "?stream=1"]) {
      const response = await get(query);
      expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "1"]);
    }
  });

  it("answers 429 with Retry-After to more streams than maxFeedStreams, and to as many waiting polls", async () => {
    await restart({ maxFeedStreams: 1 });
    const { cursor } = await poll();
    const stream = await openStream();
    const waiting = get(`?after=${cursor}&wait=25`);
    await expect.poll(() => t.deps.readers.stats().polls).toBe(1);
    for (const query of ["?stream=1", `?after=${cursor}&wait=1`]) {
      const response = await get(query);
      expect([response.status, response.headers.has("Retry-After")]).toEqual([429, true]);
    }
    await stream.reader.cancel();
    expect((await get("?stream=1")).status).toBe(200);
    await revokeSession();
    expect((await waiting).status).toBe(200);
  });

  it("has no CORS headers, also for a trusted origin", async () => {
    await restart({ trustedOrigins: ["https://app.example"] });
    const { headers } = await get("", { Origin: "https://app.example" });
    expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
  });

  it("ends its streams and waiting polls when the node drains, and refuses new ones", async () => {
    const { cursor } = await poll();
    const stream = await openStream();
    await stream.next();
    const waiting = get(`?after=${cursor}&wait=25`);
    await expect.poll(() => t.deps.readers.stats().polls).toBe(1);
    const end = stream.next();
    await expect.poll(() => t.deps.readers.stats().streams).toBe(1);
    t.deps.readers.stop();
    expect(await end).toBeNull();
    expect((await waiting).status).toBe(503);
    expect((await get("?stream=1")).status).toBe(503);
  });

  it("forgets a poll whose client has gone", async () => {
    const { cursor } = await poll();
    const controller = new AbortController();
    const request = new Request(`https://auth.example/api/auth/revocations/?wait=25&after=${cursor}`, {
      headers: service.bearer,
      signal: controller.signal,
    });
    const answer = t.handler.fetch(request);
    await expect.poll(() => t.deps.readers.stats().polls).toBe(1);
    controller.abort();
    expect((await answer).status).toBe(499);
    expect(t.deps.readers.stats().polls).toBe(0);
    expect(t.errors).toEqual([]);
  });
});

describe("an acknowledgement", () => {
  const acknowledge = (query: string) => t.send("POST", `/api/auth/revocations/${query}`, { headers: service.bearer });

  it("answers 204, also for an unknown reader and cursor, and ignores the body", async () => {
    const { cursor } = await poll("?reader=me");
    for (const query of [`?reader=me&after=${cursor}`, `?reader=other&after=${cursor}`, "?reader=me&after=x"]) {
      const response = await acknowledge(query);
      expect([query, response.status, await response.text()]).toEqual([query, 204, ""]);
    }
    const body = { method: "POST", headers: service.bearer, body: "x".repeat(100_000) };
    const request = new Request("https://auth.example/api/auth/revocations/?reader=me&after=x", body);
    expect((await t.handler.fetch(request)).status).toBe(204);
  });

  it("needs a reader and a cursor", async () => {
    for (const [query, names] of [
      ["", ["reader", "after"]],
      ["?reader=me", ["after"]],
      ["?after=x", ["reader"]],
    ] as const) {
      const response = await acknowledge(query);
      expect([response.status, Object.keys((await response.json()) as object)]).toEqual([400, names]);
    }
  });
});

describe("a reader's name", () => {
  it("counts for its own service only, in polls, streams and acknowledgements", async () => {
    const names: (string | undefined)[] = [];
    const { readers } = t.deps;
    const deps = {
      ...t.deps,
      readers: {
        ...readers,
        poll: (...[request, options]: Parameters<typeof readers.poll>) => {
          names.push(request.reader);
          return readers.poll(request, options);
        },
        acknowledge: (reader: string, cursor: string) => {
          names.push(reader);
          readers.acknowledge(reader, cursor);
        },
      },
    };
    const handler = createHttpHandler(deps);
    const other = await addService(t, ["feed"], "other");
    for (const { bearer: headers } of [service, other]) {
      await handler.fetch(new Request("https://auth.example/api/auth/revocations/?reader=me", { headers }));
      const acknowledgement = new Request("https://auth.example/api/auth/revocations/?reader=me&after=x", {
        method: "POST",
        headers,
      });
      expect((await handler.fetch(acknowledgement)).status).toBe(204);
    }
    expect(names).toEqual(["service/reader/me", "service/reader/me", "service/other/me", "service/other/me"]);
  });
});

describe("a credential of a reader", () => {
  it("is required, with the scope feed: 401 and 403, also with a user's token", async () => {
    const { access } = await t.logIn();
    const other = await addService(t, ["introspect", "revoke"], "other");
    for (const [headers, status] of [
      [{}, 401],
      [{ Authorization: `Bearer ${access}` }, 401],
      [{ Authorization: "Bearer tps_x" }, 401],
      [other.basic, 403],
      [service.basic, 200],
      [service.bearer, 200],
    ] as const) {
      for (const query of ["", "?stream=1"]) {
        const response = await t.send("GET", `/api/auth/revocations/${query}`, { headers });
        expect(response.status).toBe(status);
        await response.body?.cancel();
      }
      const acknowledged = await t.send("POST", "/api/auth/revocations/?reader=a&after=b", { headers });
      expect(acknowledged.status).toBe(status === 200 ? 204 : status);
    }
  });

  it("ends its streams and polls when it is revoked, and no others", async () => {
    const kept = await addService(t, ["feed"], "kept");
    const { cursor } = await poll();
    const [stream, other] = [await openStream(), await openStream("?stream=1", kept.basic)];
    await Promise.all([stream.next(), other.next()]);
    const waiting = get(`?after=${cursor}&wait=25`);
    await expect.poll(() => t.deps.readers.stats().polls).toBe(1);
    const ended = expectEnd(stream);
    await t.store.services.revoke(service.name);
    await ended;
    expect((await waiting).status).toBe(401);
    const fingerprint = await revokeSession();
    for (;;) {
      const frame = await other.next();
      if (frame === null) throw new Error("the stream of another credential has ended");
      if (frame.fingerprints.includes(fingerprint)) break;
    }
    await other.reader.cancel();
  });

  it("ends its streams when it is rotated without an overlap, and keeps them otherwise", async () => {
    const stream = await openStream();
    const credential = { credentialHash: new Uint8Array(32).fill(7), prefix: "abcdefgh" };
    await t.store.services.rotate(service.name, { ...credential, overlap: 60 });
    await revokeSessionsForUser(t.deps, t.user.id);
    expect(await stream.next()).not.toBeNull();
    const ended = expectEnd(stream);
    await t.store.services.rotate(service.name, {
      ...credential,
      credentialHash: new Uint8Array(32).fill(8),
      overlap: 0,
    });
    await ended;
  });
});

it("appends what was revoked while nothing was read, and keeps nothing before the first reader", async () => {
  await revokeSession();
  expect(t.deps.readers.stats()).toMatchObject({ records: 0, bytes: 0 });
  await poll();
  expect(t.deps.readers.stats()).toMatchObject({ records: 1, bytes: 80 });
});
