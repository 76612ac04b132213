import { once } from "node:events";
import { type ClientRequest, get, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { readHeader } from "../../src/revocation/readers/frame.ts";
import { findFreePort } from "../support/free-port.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";

/** What a test does with the feed of a server, over real sockets. */
interface Scene {
  readonly nodes: Nodes;
  readonly server: ServerProcess;
  readonly authorization: string;
}

let scene: Scene;
let metricsUrl: string;

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const metricsPort = await findFreePort();
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  const nodes = await openNodes({
    database: "SQLite",
    servers: 1,
    env: {
      TOKENPAIR_METRICS_PORT: String(metricsPort),
      TOKENPAIR_ISSUER: "https://id.example",
      TOKENPAIR_AUDIENCE: "api",
      ...env,
    },
  });
  const [server] = nodes.servers;
  if (server === undefined) throw new Error("no server");
  const { credential } = JSON.parse(await nodes.run("services", "create", "reader", "--scope", "feed", "--json"));
  scene = { nodes, server, authorization: `Bearer ${credential}` };
}

afterEach(() => scene.nodes.close());

async function readMetric(name: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

/** Opens a stream. `frames` counts what was read; `ended` fulfils with how the response ended. */
async function openStream(query = "stream=1") {
  const request: ClientRequest = get(`${scene.server.url}/api/auth/revocations/?${query}`, {
    headers: { Authorization: scene.authorization },
    agent: false,
  });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  let buffer = Buffer.alloc(0);
  const stream = {
    request,
    frames: 0,
    records: 0,
    ended: new Promise<"complete" | "broken">((resolve) => {
      response.once("close", () => resolve(response.complete ? "complete" : "broken"));
    }),
  };
  response.on("error", () => {});
  response.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (let header = readHeader(buffer); header !== null; header = readHeader(buffer)) {
      const length = 64 + 16 * header.count;
      if (buffer.length < length) return;
      buffer = buffer.subarray(length);
      stream.frames += 1;
      stream.records += header.count;
    }
  });
  onTestFinished(() => void request.destroy());
  return stream;
}

/** Opens a stream that is never read. */
function openUnread(): Socket {
  const socket = connect(scene.server.port, "127.0.0.1").pause();
  socket.on("error", () => {});
  socket.write(
    `GET /api/auth/revocations/?stream=1 HTTP/1.1\r\nHost: a\r\nAuthorization: ${scene.authorization}\r\n\r\n`,
  );
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Appends revocations of tokens, and reads the streams in between: the server closes those that aren't read. */
async function revokeMany(count: number): Promise<void> {
  const part = 5_000;
  for (let left = count; left > 0; left -= part) {
    revokeInOneTransaction(Math.min(part, left));
    await setImmediate();
  }
}

function revokeInOneTransaction(count: number): void {
  const database = new DatabaseSync(join(scene.nodes.directory, "tokenpair.db"), { timeout: 60_000 });
  database.exec(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO revocations (kind, key, at, until)
      SELECT 'token', hex(randomblob(16)), unixepoch(), unixepoch() + 3600 FROM n`,
  );
  database.close();
}

describe("a stream of the revocation feed over a real socket", () => {
  beforeEach(() => start());

  it("brings a revocation that another process has committed", async () => {
    const stream = await openStream();
    await waitUntil("the first frame has come", () => stream.frames > 0);
    // A node's start revokes a token that doesn't exist.
    const before = stream.records;
    await revokeMany(300);
    await waitUntil("the revocations have come", () => stream.records >= before + 300);
    expect(await readMetric("tokenpair_feed_streams")).toBe(1);
  });

  it("has an empty frame about every second, so that proxies keep it open", async () => {
    const stream = await openStream();
    await waitUntil("four frames have come", () => stream.frames >= 4);
    expect(stream.records).toBeLessThanOrEqual(2);
  });

  it("ends when its credential is revoked, by another process", async () => {
    const stream = await openStream();
    await waitUntil("the first frame has come", () => stream.frames > 0);
    await scene.nodes.run("services", "revoke", "reader");
    expect(await stream.ended).toBe("complete");
    const again = await fetch(`${scene.server.url}/api/auth/revocations/`, {
      headers: { Authorization: scene.authorization },
    });
    expect(again.status).toBe(401);
  });

  it("ends completely when the server is stopped, which then exits with 0", async () => {
    const streams = await Promise.all(Array.from({ length: 20 }, () => openStream()));
    await waitUntil("the first frames have come", () => streams.every(({ frames }) => frames > 0));
    // A poll that waits ends, too.
    const { cursor } = await readJson();
    const poll = fetch(`${scene.server.url}/api/auth/revocations/?wait=25&after=${cursor}`, {
      headers: { Authorization: scene.authorization },
    });
    await waitUntil("the poll waits", async () => (await readMetric("tokenpair_feed_polls")) === 1);
    const exited = once(scene.server.process, "exit");
    await scene.server.stop();
    expect(new Set(await Promise.all(streams.map(({ ended }) => ended)))).toEqual(new Set(["complete"]));
    expect((await poll).status).toBe(503);
    expect((await exited)[0]).toBe(0);
  });

  it("is forgotten when its client goes, and so is a poll", async () => {
    const { cursor } = await readJson();
    const stream = await openStream();
    const controller = new AbortController();
    const poll = fetch(`${scene.server.url}/api/auth/revocations/?wait=25&after=${cursor}`, {
      headers: { Authorization: scene.authorization },
      signal: controller.signal,
    });
    await waitUntil("the poll waits", async () => (await readMetric("tokenpair_feed_polls")) === 1);
    controller.abort();
    stream.request.destroy();
    await expect(poll).rejects.toThrow();
    await waitUntil(
      "both are forgotten",
      async () =>
        (await readMetric("tokenpair_feed_polls")) === 0 && (await readMetric("tokenpair_feed_streams")) === 0,
    );
    expect(scene.server.log()).not.toContain('"level":"error"');
  });
});

it("closes a stream that isn't read, so that no frame waits in the server's memory", async () => {
  await start({ TOKENPAIR_REQUEST_TIMEOUT: "2" });
  const reader = await openStream();
  const unread = 2;
  for (let n = 0; n < unread; n++) openUnread();
  await waitUntil("the streams are open", async () => (await readMetric("tokenpair_feed_streams")) === unread + 1);
  const round = 100_000;
  // Until the buffers of the operating system are full: they hold some megabytes of each stream.
  let revoked = 0;
  while (revoked === 0 || (await readMetric("tokenpair_feed_streams")) > 1) {
    expect(revoked).toBeLessThan(20 * round);
    await revokeMany(round);
    revoked += round;
    await waitUntil("the reader has them", () => reader.records >= revoked);
  }
  const made = await readMetric("tokenpair_feed_bytes_total");
  expect(made).toBeLessThan((unread + 1) * revoked * 16);
  const toMegabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  console.log(`${unread} streams that were not read got ${toMegabytes((made - revoked * 16) / unread)} each`);
});

it("answers a long poll that takes longer than requestTimeout", async () => {
  await start({ TOKENPAIR_REQUEST_TIMEOUT: "1" });
  const { cursor } = await readJson();
  const poll = await fetch(`${scene.server.url}/api/auth/revocations/?wait=3&after=${cursor}`, {
    headers: { Authorization: scene.authorization },
  });
  expect(readHeader(new Uint8Array(await poll.arrayBuffer()))).toMatchObject({ isFull: false, count: 0 });
});

async function readJson(): Promise<{ readonly cursor: string }> {
  const headers = { Authorization: scene.authorization, Accept: "application/json" };
  const response = await fetch(`${scene.server.url}/api/auth/revocations/`, { headers });
  return (await response.json()) as { cursor: string };
}
