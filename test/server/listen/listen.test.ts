import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Listener, type ListenOptions, listen } from "../../../src/server/listen/listen.ts";

const limits = { requestTimeout: 20, maxConnections: 100 };

/** Listens on any free port and answers with `fetch`. */
async function open(
  fetch: ListenOptions["fetch"] = async () => new Response("done"),
  onMalformed: ListenOptions["onMalformed"] = () => {},
  requestTimeout = limits.requestTimeout,
): Promise<Listener> {
  const options = { fetch, host: "127.0.0.1", port: 0, onMalformed, limits: { ...limits, requestTimeout } };
  const listener = await listen(options);
  onTestFinished(() => listener.close(0));
  return listener;
}

function connectTo({ url }: Listener): Socket {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Sends `text` unchanged. @returns everything that the server sends before it closes the socket. */
async function sendRaw(listener: Listener, text: string): Promise<string> {
  const socket = connectTo(listener).setEncoding("utf8");
  socket.write(text);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** Sends a request on a keep-alive socket. @returns the body. */
async function getWith(agent: Agent, { url }: Listener): Promise<string> {
  const [response] = (await once(get(url, { agent }), "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response) body += chunk;
  return body;
}

/** Returns whether a new connection is refused. */
function isRefused(listener: Listener): Promise<boolean> {
  const socket = connectTo(listener);
  return new Promise((resolve) => {
    socket.once("error", () => resolve(true));
    socket.once("connect", () => resolve(false));
  });
}

/** Milliseconds. A listener that waits for idle or keep-alive sockets takes as long, or 65 s. */
const closeTimeout = 20_000;

const unused = { fetch: async () => new Response(), onMalformed() {}, limits };

function createGate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

const standard = [
  "connection: close",
  "content-type: application/json",
  "cache-control: no-store",
  "x-content-type-options: nosniff",
  "referrer-policy: same-origin",
  "content-security-policy: default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  "x-frame-options: deny",
  "cross-origin-resource-policy: same-origin",
];

describe("a listener", () => {
  it.each([
    ["garbage", "no http at all\r\n\r\n", "400"],
    ["a header without a colon", "GET / HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n", "400"],
    ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "400",
    ],
    ["no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400"],
    ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\nConnection: close\r\n\r\n", "400"],
    ["the same host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close\r\n\r\n", "400"],
    ["two hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400"],
    ["an empty host", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", "400"],
    ["an impossible host", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", "400"],
    ["a dot segment", "GET /a/../b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "400"],
    ["an encoded dot segment", "GET /a/.%2E HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "400"],
    ["too many headers", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(30_000)}\r\n\r\n`, "431"],
    ["an invalid chunk size", `${chunked}5\r\nhello\r\nnonsense\r\n`, "400"],
    ["an endless chunk extension", `${chunked}5;${"x".repeat(30_000)}\r\n`, "413"],
  ])(
    "answers a request with %s in JSON, reports it once without quoting it, and stays up",
    async (_, request, status) => {
      const reported: object[] = [];
      const listener = await open(
        async (sent) => new Response(sent.method === "GET" ? "done" : await sent.text().catch(() => "broken off")),
        (malformed) => void reported.push(malformed),
      );
      const [head = "", body = ""] = (await sendRaw(listener, request)).split("\r\n\r\n");
      expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      for (const header of standard) expect(head.toLowerCase()).toContain(header);
      expect(JSON.parse(body)).toEqual({ detail: expect.any(String), code: expect.any(String) });
      expect(reported).toEqual([{ status: Number(status), reason: expect.stringMatching(/^[A-Z_]+$/) }]);
      expect(await (await fetch(listener.url)).text()).toBe("done");
    },
  );

  it.each(["", "Host:\r\n"])(
    "answers a request of HTTP/1.0 without a host (%j), from no page's origin",
    async (header) => {
      const listener = await open(async ({ url }) => new Response(`at ${url}`));
      const answer = await sendRaw(listener, `GET /readyz HTTP/1.0\r\n${header}\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer.split("\r\n\r\n")[1]).toBe("at http://host.invalid/readyz");
    },
  );

  it("takes dots for a path segment only where they are one", async () => {
    const listener = await open(async ({ url }) => new Response(new URL(url).pathname));
    for (const target of ["/.well-known/jwks.json", "/a../b", "/...", "/a?to=/../b"]) {
      const answer = await sendRaw(listener, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      expect(answer.split("\r\n\r\n")[1]).toBe(target.split("?")[0]);
    }
  });

  it("adds nothing to a response that has begun if invalid bytes follow the request", async () => {
    const listener = await open(async () => {
      const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("begun")) });
      return new Response(body);
    });
    const socket = connectTo(listener).setEncoding("utf8");
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = "";
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.includes("begun")) socket.write("nonsense\r\n\r\n");
    }
    expect(answer.match(/HTTP\/1\.1/g)).toEqual(["HTTP/1.1"]);
  });

  it("answers running requests before it closes, and accepts no new ones meanwhile", async () => {
    const { open: answer, opened } = createGate();
    const { open: arrive, opened: arrived } = createGate();
    const listener = await open(async () => {
      arrive();
      await opened;
      return new Response("in time");
    });
    const inFlight = fetch(listener.url).then((response) => response.text());
    await arrived;
    const closed = listener.close(5_000);
    // Connections that arrive before are accepted.
    await expect.poll(() => isRefused(listener)).toBe(true);
    answer();
    expect(await inFlight).toBe("in time");
    await closed;
  });

  it("closes without waiting for idle sockets, with or without an earlier request", async () => {
    const listener = await open();
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    expect(await getWith(agent, listener)).toBe("done");
    const silent = connectTo(listener);
    await once(silent, "connect");
    const startedAt = performance.now();
    await listener.close(closeTimeout);
    expect(performance.now() - startedAt).toBeLessThan(closeTimeout / 2);
  });

  it("answers a request on an idle socket, and one on a connection that it has not accepted yet, when it closes", async () => {
    const listener = await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    expect(await getWith(agent, listener)).toBe("done");
    const late = Array.from({ length: 11 }, () => fetch(listener.url).then((response) => response.text()));
    const closed = listener.close(closeTimeout);
    expect(await getWith(agent, listener)).toBe("done");
    expect(await Promise.all(late)).toEqual(late.map(() => "done"));
    await closed;
  });

  it("answers what has arrived while its process was paused, and then closes", async () => {
    const listener = await open();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    expect(await getWith(agent, listener)).toBe("done");
    const closed = listener.close(closeTimeout);
    // It has accepted what waited, and its time for idle sockets runs.
    for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate);
    const last = getWith(agent, listener);
    // The kernel has it, and the server hasn't read it yet.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    // The time for idle sockets is over when the process continues.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    expect(await last).toBe("done");
    await closed;
  });

  it("asks clients to close their connections once it is retired, and continues to accept", async () => {
    const { open: answer, opened } = createGate();
    const { open: arrive, opened: arrived } = createGate();
    const listener = await open(async () => {
      arrive();
      await opened;
      return new Response("done");
    });
    const connectionOf = async (response: Promise<Response>) => (await response).headers.get("Connection");
    const running = connectionOf(fetch(listener.url));
    await arrived;
    listener.retire();
    answer();
    expect(await running).toBe("close");
    for (let n = 0; n < 2; n++) expect(await connectionOf(fetch(listener.url))).toBe("close");
  });

  it("closes a keep-alive socket after its last response", async () => {
    const { open: answer, opened } = createGate();
    const { open: arrive, opened: arrived } = createGate();
    const listener = await open(async () => {
      arrive();
      await opened;
      return new Response("last");
    });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const last = getWith(agent, listener);
    const idle = connectTo(listener).resume();
    await Promise.all([arrived, once(idle, "connect")]);
    const startedAt = performance.now();
    const closed = listener.close(closeTimeout);
    // As soon as idle sockets are closed, only the running request keeps the server open.
    await once(idle, "close");
    answer();
    expect(await last).toBe("last");
    await closed;
    expect(performance.now() - startedAt).toBeLessThan(closeTimeout / 2);
  });

  it("stops waiting for a running request after the timeout", async () => {
    const { open: arrive, opened: arrived } = createGate();
    const listener = await open(() => {
      arrive();
      return new Promise(() => {});
    });
    const lost = fetch(listener.url).catch(() => "lost");
    await arrived;
    await listener.close(100);
    expect(await lost).toBe("lost");
  });

  it("doesn't disconnect a client that waits for its response longer than the timeout, as a long poll does", async () => {
    const { open: arrive, opened: arrived } = createGate();
    const { open: answer, opened: answered } = createGate();
    const slow = async (request: Request) => {
      if (request.url.endsWith("/silent")) return new Response(new ReadableStream());
      arrive();
      await answered;
      return new Response("late");
    };
    const listener = await open(slow, () => {}, 0.2);
    const late = fetch(listener.url).then((response) => response.text());
    await arrived;
    // The server disconnects this client, whose time is over later than the other one's.
    await expect(fetch(`${listener.url}/silent`).then((response) => response.text())).rejects.toThrow();
    answer();
    expect(await late).toBe("late");
  });

  it("disconnects a client that doesn't read its response", async () => {
    const { open: cancelled, opened } = createGate();
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: cancelled,
    });
    const listener = await open(
      async () => new Response(endless),
      () => {},
      0.2,
    );
    const socket = connectTo(listener).pause();
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await opened;
  });

  it("says what to do if the port is in use", async () => {
    const { url } = await open();
    const port = Number(new URL(url).port);
    const second = listen({ ...unused, host: "127.0.0.1", port });
    await expect(second).rejects.toThrow(
      `port ${port} on 127.0.0.1 is in use; stop the other program, or choose a port`,
    );
  });

  it("says if the host is not an address of this machine", async () => {
    const elsewhere = listen({ ...unused, host: "192.0.2.1", port: 0 });
    await expect(elsewhere).rejects.toThrow("192.0.2.1 is not an address of this machine");
  });
});
