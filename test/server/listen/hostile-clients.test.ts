import { execSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { findFreePort } from "../../support/free-port.ts";
import { type ServerProcess, startServer } from "../../support/server-process.ts";

/** Seconds that the server gives to a client; by default it is 20. */
const requestTimeout = 2;

/** As many as issue from one process, where the system allows it. */
const crowd = Math.min(10_000, toNumber(execSync("ulimit -n", { encoding: "utf8" })) - 1_000);

let server: ServerProcess;
let metricsUrl: string;
let folder: string;
let atStart: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const metricsPort = await findFreePort();
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  server = await startServer({
    cwd: folder,
    env: {
      // A small heap is collected often, and what did not come back would not fit for long. Megabytes.
      NODE_OPTIONS: "--max-old-space-size=160",
      TOKENPAIR_PAGE: "false",
      TOKENPAIR_REQUEST_TIMEOUT: String(requestTimeout),
      TOKENPAIR_METRICS_PORT: String(metricsPort),
    },
  });
  atStart = await readHeapSize();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** A connection, and what comes back over it until it closes. */
interface Attacker {
  readonly socket: Socket;
  readonly closed: Promise<string>;
}

function attack(options: { readonly allowHalfOpen?: boolean } = {}): Attacker {
  const socket = connect({ port: server.port, host: "127.0.0.1", ...options }).setEncoding("latin1");
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (text) => {
    received += text;
  });
  // A reset is how a server says that it has had enough.
  socket.on("error", () => {});
  return { socket, closed: once(socket, "close").then(() => received) };
}

/** Sends `parts` one by one, with a pause between them, for as long as the connection is open. */
async function drip({ socket }: Attacker, parts: Iterable<string>): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    socket.write(part);
    await sleep(100);
  }
}

function* forever(part: string, first = ""): Iterable<string> {
  yield first;
  for (;;) yield part;
}

/** An honest client beside `attackers`: every one of its requests is answered. Ends when they have been closed. */
async function isAnsweredBeside(attackers: readonly Attacker[]): Promise<readonly string[]> {
  let isOver = false;
  const closed = Promise.all(attackers.map((attacker) => attacker.closed)).finally(() => {
    isOver = true;
  });
  const deadline = performance.now() + 20_000;
  while (!isOver) {
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(performance.now()).toBeLessThan(deadline);
    await sleep(50);
  }
  return closed;
}

async function readHeapSize(): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return toNumber(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(text)?.[1]);
}

function toNumber(text = ""): number {
  return text.trim() === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
}

const post = "POST /api/token/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

describe("the server stays up, answers others and gets rid of", { timeout: 60_000 }, () => {
  it("clients that send their headers byte by byte", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    for (const attacker of attackers) void drip(attacker, forever("a", "GET / HTTP/1.1\r\nHost: a\r\nX: "));
    for (const answer of await isAnsweredBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 408 |^$/);
  });

  it("clients that send their bodies byte by byte", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    for (const attacker of attackers) void drip(attacker, forever(" ", `${post}Content-Length: 1000\r\n\r\n`));
    for (const answer of await isAnsweredBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 4\d\d |^$/);
  });

  it("clients that ask on and on and never read an answer", async () => {
    const attackers = Array.from({ length: 20 }, () => attack());
    const requests = "GET /api/schema/ HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
    for (const { socket } of attackers) socket.pause().write(requests);
    await sleep(200);
    for (const { socket } of attackers) socket.resume();
    for (const answers of await isAnsweredBeside(attackers)) {
      // A few hundred bytes of requests ask for megabytes of answers: most of them must never be made.
      expect(answers.match(/HTTP\/1\.1 200/g)?.length ?? 0).toBeLessThan(100);
    }
  });

  it("clients that flood it with a body that has no end", async () => {
    const attackers = Array.from({ length: 10 }, () => attack());
    const chunk = `ffff\r\n${"x".repeat(0xffff)}\r\n`;
    for (const attacker of attackers) void drip(attacker, forever(chunk, `${post}Transfer-Encoding: chunked\r\n\r\n`));
    for (const answer of await isAnsweredBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 413 |^$/);
  });

  it("clients that flood it with headers", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    const header = `X-Flood: ${"x".repeat(1_000)}\r\n`;
    for (const { socket } of attackers) socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${header.repeat(100)}`);
    for (const answer of await isAnsweredBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 431 |^$/);
  });

  it("clients that send garbage, alone and behind a good request", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    const good = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const [i, { socket }] of attackers.entries()) {
      socket.write(Buffer.concat([Buffer.from(good.repeat(i % 3)), Buffer.alloc(5_000, i * 37 + 128)]));
    }
    for (const answer of await isAnsweredBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 (?:200|400) |^$/);
  });

  it("clients that have hung up without a word in the middle of a request", async () => {
    const attackers = Array.from({ length: 50 }, () => attack({ allowHalfOpen: true }));
    for (const { socket } of attackers) socket.end(`${post}Content-Length: 100\r\n\r\n{`);
    for (const answer of await isAnsweredBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 400 |^$/);
  });

  it("a crowd of connections that say nothing, after which its memory comes back", async () => {
    const attackers: Attacker[] = [];
    while (attackers.length < crowd) {
      const next = Array.from({ length: Math.min(250, crowd - attackers.length) }, () => attack());
      await Promise.all(next.map(({ socket }) => once(socket, "connect")));
      attackers.push(...next);
    }
    const during = await readHeapSize();
    await isAnsweredBeside(attackers);

    // What all of them have left behind is garbage; work brings the collector.
    let after = await readHeapSize();
    for (const end = performance.now() + 30_000; after > atStart + 20e6; after = await readHeapSize()) {
      expect(performance.now()).toBeLessThan(end);
      await Promise.all(Array.from({ length: 50 }, async () => (await fetch(`${server.url}/api/schema/`)).text()));
    }
    const sizes = [atStart, during, after].map((bytes) => `${Math.round(bytes / 1e6)} MB`);
    console.log(`${crowd} idle connections: heap ${sizes.join(", ")} at the start, meanwhile, afterwards`);
  });
});
