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

/** The server's setting, in seconds. The default is 20. */
const requestTimeout = 2;

/** How many sockets one process opens, if the system allows so many. */
const idleSockets = Math.min(10_000, toNumber(execSync("ulimit -n", { encoding: "utf8" })) - 1_000);

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
      // In megabytes. A small heap is collected often, and a leak would soon fill it.
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

/** A socket to the server. `closed` fulfills with everything that the server sent. */
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
  // The server may reset the connection.
  socket.on("error", () => {});
  return { socket, closed: new Promise((resolve) => socket.once("close", () => resolve(received))) };
}

/** Sends `parts` one by one, slowly, while the socket is open. */
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

/**
 * Expects every request of an honest client to be answered until the server has closed all `attackers`.
 *
 * @returns their answers.
 */
async function expectAnswersBeside(attackers: readonly Attacker[]): Promise<readonly string[]> {
  let isOver = false;
  const closed = Promise.all(attackers.map((attacker) => attacker.closed)).finally(() => {
    isOver = true;
  });
  const deadline = performance.now() + 120_000;
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

describe("a server under attack answers other clients and", () => {
  it("disconnects clients that send their headers byte by byte", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    for (const attacker of attackers) void drip(attacker, forever("a", "GET / HTTP/1.1\r\nHost: a\r\nX: "));
    for (const answer of await expectAnswersBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 408 |^$/);
  });

  it("disconnects clients that send their bodies byte by byte", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    for (const attacker of attackers) void drip(attacker, forever(" ", `${post}Content-Length: 1000\r\n\r\n`));
    for (const answer of await expectAnswersBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 4\d\d |^$/);
  });

  it("disconnects clients that send requests without reading the responses", async () => {
    const attackers = Array.from({ length: 20 }, () => attack());
    const requests = "GET /api/schema/ HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
    for (const { socket } of attackers) socket.pause().write(requests);
    await sleep(200);
    for (const { socket } of attackers) socket.resume();
    for (const answers of await expectAnswersBeside(attackers)) {
      // Most of the thousand requests must never be answered: the responses would take megabytes.
      expect(answers.match(/HTTP\/1\.1 200/g)?.length ?? 0).toBeLessThan(100);
    }
  });

  it("disconnects clients that send an endless body", async () => {
    const attackers = Array.from({ length: 10 }, () => attack());
    const chunk = `ffff\r\n${"x".repeat(0xffff)}\r\n`;
    for (const attacker of attackers) void drip(attacker, forever(chunk, `${post}Transfer-Encoding: chunked\r\n\r\n`));
    for (const answer of await expectAnswersBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 413 |^$/);
  });

  it("disconnects clients that send endless headers", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    const header = `X-Flood: ${"x".repeat(1_000)}\r\n`;
    for (const { socket } of attackers) socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${header.repeat(100)}`);
    for (const answer of await expectAnswersBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 431 |^$/);
  });

  it("disconnects clients that send invalid bytes, alone or after valid requests", async () => {
    const attackers = Array.from({ length: 50 }, () => attack());
    const good = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const [i, { socket }] of attackers.entries()) {
      socket.write(Buffer.concat([Buffer.from(good.repeat(i % 3)), Buffer.alloc(5_000, i * 37 + 128)]));
    }
    for (const answer of await expectAnswersBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 (?:200|400) |^$/);
  });

  it("disconnects clients that close their side in the middle of a request", async () => {
    const attackers = Array.from({ length: 50 }, () => attack({ allowHalfOpen: true }));
    for (const { socket } of attackers) socket.end(`${post}Content-Length: 100\r\n\r\n{`);
    for (const answer of await expectAnswersBeside(attackers)) expect(answer).toMatch(/^HTTP\/1\.1 400 |^$/);
  });

  it("disconnects thousands of idle clients and then frees their memory", async () => {
    const attackers: Attacker[] = [];
    while (attackers.length < idleSockets) {
      const next = Array.from({ length: Math.min(250, idleSockets - attackers.length) }, () => attack());
      await Promise.all(next.map(({ socket }) => once(socket, "connect")));
      attackers.push(...next);
    }
    const during = await readHeapSize();
    await expectAnswersBeside(attackers);

    // Their memory is garbage now. Further requests make the collector run.
    let after = await readHeapSize();
    for (const end = performance.now() + 120_000; after > atStart + 20e6; after = await readHeapSize()) {
      expect(performance.now()).toBeLessThan(end);
      await Promise.all(Array.from({ length: 50 }, async () => (await fetch(`${server.url}/api/schema/`)).text()));
    }
    const sizes = [atStart, during, after].map((bytes) => `${Math.round(bytes / 1e6)} MB`);
    console.log(`${idleSockets} idle sockets: heap ${sizes.join(", ")} (before, during, after)`);
  });
});
