import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Listener, type ListenOptions, listen } from "../../../src/server/listen/listen.ts";

const limits = { requestTimeout: 20, maxConnections: 100 };

/** A listener on any free port, whose answers are `fetch`'s. */
async function open(
  fetch: ListenOptions["fetch"] = async () => new Response("done"),
  onMalformed: ListenOptions["onMalformed"] = () => {},
): Promise<Listener> {
  const listener = await listen({ fetch, host: "127.0.0.1", port: 0, onMalformed, limits });
  onTestFinished(() => listener.close(0));
  return listener;
}

function connectTo({ url }: Listener): Socket {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Sends `text` as it is and returns all that comes back until the server closes the connection. */
async function sendRaw(listener: Listener, text: string): Promise<string> {
  const socket = connectTo(listener).setEncoding("utf8");
  socket.write(text);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** One request on a connection that is kept alive. */
async function getWith(agent: Agent, { url }: Listener): Promise<string> {
  const [response] = (await once(get(url, { agent }), "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response) body += chunk;
  return body;
}

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
    ["an impossible host", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", "400"],
    ["too many headers", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(30_000)}\r\n\r\n`, "431"],
    ["no end of the body's chunks", `${chunked}5\r\nhello\r\nnonsense\r\n`, "400"],
    ["endless remarks on a chunk", `${chunked}5;${"x".repeat(30_000)}\r\n`, "413"],
  ])("refuses %s in JSON, tells of it once without repeating it, and goes on", async (_, request, status) => {
    const told: object[] = [];
    const listener = await open(
      async (sent) => new Response(sent.method === "GET" ? "done" : await sent.text().catch(() => "broken off")),
      (malformed) => void told.push(malformed),
    );
    const [head = "", body = ""] = (await sendRaw(listener, request)).split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    for (const header of standard) expect(head.toLowerCase()).toContain(header);
    expect(JSON.parse(body)).toEqual({ detail: expect.any(String), code: expect.any(String) });
    expect(told).toEqual([{ status: Number(status), reason: expect.stringMatching(/^[A-Z_]+$/) }]);
    expect(await (await fetch(listener.url)).text()).toBe("done");
  });

  it("adds nothing to an answer that has begun, where nonsense follows the request", async () => {
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

  it("answers what is in flight before it closes, and accepts nothing new meanwhile", async () => {
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
    await expect(fetch(listener.url)).rejects.toThrow();
    answer();
    expect(await inFlight).toBe("in time");
    await closed;
  });

  it("does not wait for connections that are idle, nor for those that never sent a request", async () => {
    const listener = await open();
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    expect(await getWith(agent, listener)).toBe("done");
    const silent = connectTo(listener);
    await once(silent, "connect");
    const startedAt = performance.now();
    await listener.close(5_000);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it("closes a connection with its last answer, although it was to be kept alive", async () => {
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
    await arrived;
    const closed = listener.close(5_000);
    setTimeout(answer, 400);
    expect(await last).toBe("last");
    const startedAt = performance.now();
    await closed;
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it("gives up on a request that does not end, when its patience does", async () => {
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

  it("says that the port is taken, and what to do", async () => {
    const { url } = await open();
    const port = Number(new URL(url).port);
    const second = listen({ ...unused, host: "127.0.0.1", port });
    await expect(second).rejects.toThrow(`port ${port} on 127.0.0.1 is taken; stop what runs there, or choose another`);
  });

  it("says that the host is not this machine's", async () => {
    const elsewhere = listen({ ...unused, host: "192.0.2.1", port: 0 });
    await expect(elsewhere).rejects.toThrow("192.0.2.1 is not an address of this machine");
  });
});
