import { EventEmitter } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PostgresListenClient, PostgresQuery } from "../../../src/store/postgres/connection/driver.ts";
import { createListener } from "../../../src/store/postgres/feed/listener.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";

/** A connection of the driver, whose events and errors a test chooses. */
class FakeClient extends EventEmitter implements PostgresListenClient {
  readonly queries: PostgresQuery[] = [];
  connectError: Error | null = null;
  queryError: Error | null = null;
  isEnded = false;
  isUnreferenced = false;

  async connect(): Promise<void> {
    if (this.connectError !== null) throw this.connectError;
  }

  async query(query: PostgresQuery): Promise<{ rows: unknown[] }> {
    this.queries.push(query);
    if (this.queryError !== null) throw this.queryError;
    return { rows: [] };
  }

  unref(): void {
    this.isUnreferenced = true;
  }

  async end(): Promise<void> {
    this.isEnded = true;
    this.emit("end");
  }
}

/** A started listener. `prepare` gets each connection, by number from 0, before it is used. */
async function start({ prepare = () => {}, random = 0 }: Options = {}) {
  const time = createManualTime();
  const clients: FakeClient[] = [];
  /** When each connection was made, in milliseconds since the start. */
  const createdAt: number[] = [];
  /** What was called: "connected", a payload, or the reason of a loss. */
  const calls: string[] = [];
  const listener = createListener({
    createClient() {
      const client = new FakeClient();
      createdAt.push(time.clock.monotonic());
      prepare(client, clients.push(client) - 1);
      return client;
    },
    channel: "auth_revocations",
    onNotification: (payload) => calls.push(`notified ${payload}`),
    onConnected: () => calls.push("connected"),
    onLost: (reason) => calls.push(`lost: ${reason}`),
    schedule: time.schedule,
    random: () => random,
  });
  listener.start();
  onTestFinished(listener.stop);
  await settled();
  return { listener, time, clients, createdAt, calls };
}

interface Options {
  readonly prepare?: (client: FakeClient, index: number) => void;
  readonly random?: number;
}

const listen = 'LISTEN "auth_revocations"';

describe("the listener of PostgreSQL's notifications", () => {
  it("connects once, listens on its channel, and passes notifications on", async () => {
    const { listener, clients, calls } = await start();
    listener.start();
    await settled();
    clients[0]?.emit("notification", { payload: "a" });
    expect(clients).toHaveLength(1);
    expect(clients[0]?.queries).toEqual([{ text: listen }]);
    expect(clients[0]?.isUnreferenced).toBe(true);
    expect(calls).toEqual(["connected", "notified a"]);
  });

  it("listens again every 15 s, with a timeout of 5 s, and reports nothing while that works", async () => {
    const { time, clients, calls } = await start();
    await time.advance(14.9);
    expect(clients[0]?.queries).toHaveLength(1);
    await time.advance(15.1);
    expect(clients[0]?.queries.slice(1)).toEqual([1, 2].map(() => ({ text: listen, query_timeout: 5_000 })));
    expect(calls).toEqual(["connected"]);
  });

  it.each<[string, (client: FakeClient) => void, string]>([
    ["fails", (client) => client.emit("error", new Error("connection terminated")), "connection terminated"],
    ["ends", (client) => client.emit("end"), "the connection ended"],
  ])("reports once that a connection %s, and connects again after 50 to 100 ms", async (_, lose, reason) => {
    const { time, clients, createdAt, calls } = await start();
    await time.advance(14.99);
    for (const client of clients) lose(client);
    clients[0]?.emit("error", new Error("a later error"));
    await time.advance(0.04);
    expect(clients.map(({ isEnded }) => isEnded)).toEqual([true]);
    await time.advance(0.01);
    expect(createdAt).toEqual([0, 15_040]);
    clients[0]?.emit("notification", { payload: "of the lost connection" });
    clients[1]?.emit("notification", { payload: "a" });
    expect(calls).toEqual(["connected", `lost: ${reason}`, "connected", "notified a"]);
  });

  it("reports a connection on which LISTEN is no longer answered, and connects again", async () => {
    const { time, clients, createdAt, calls } = await start();
    for (const client of clients) client.queryError = new Error("Query read timeout");
    await time.advance(15.05);
    expect(clients[0]?.isEnded).toBe(true);
    expect(createdAt).toEqual([0, 15_050]);
    expect(calls).toEqual(["connected", "lost: Query read timeout", "connected"]);
  });

  it("doubles the delay before each further attempt up to 10 s, and begins anew after a connection", async () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const prepare = (client: FakeClient, index: number) => {
      if (index < 9) client.connectError = refused;
    };
    const { time, clients, createdAt, calls } = await start({ prepare, random: 1 });
    await time.advance(40);
    const delays = createdAt.slice(1).map((at, i) => at - (createdAt[i] ?? 0));
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(clients.slice(0, 9).every(({ isEnded }) => isEnded)).toBe(true);
    expect(calls).toHaveLength(10);
    expect(calls[0]).toMatch(/^lost: ECONNREFUSED/);
    expect(calls.at(-1)).toBe("connected");
    clients.at(-1)?.emit("end");
    await time.advance(0.1);
    expect(createdAt).toHaveLength(11);
  });

  it("tries again if a connection can't even be created", async () => {
    const prepare = (_: FakeClient, index: number) => {
      if (index === 0) throw new Error("ENOENT: no such file");
    };
    const { time, calls } = await start({ prepare });
    await time.advance(0.05);
    expect(calls).toEqual(["lost: ENOENT: no such file", "connected"]);
  });

  it("ends the connection when it is stopped, reports nothing more, and can be started again", async () => {
    const { listener, time, clients, calls } = await start();
    listener.stop();
    listener.stop();
    expect(clients[0]?.isEnded).toBe(true);
    clients[0]?.emit("notification", { payload: "a" });
    await time.advance(60);
    expect(time.pending).toBe(0);
    expect(calls).toEqual(["connected"]);
    listener.start();
    await settled();
    expect(clients).toHaveLength(2);
    expect(calls).toEqual(["connected", "connected"]);
  });

  it("is not connected again after a stop that came before the next attempt", async () => {
    const { listener, time, clients, calls } = await start();
    clients[0]?.emit("end");
    await time.advance(0.01);
    listener.stop();
    await time.advance(60);
    expect(clients).toHaveLength(1);
    expect(time.pending).toBe(0);
    expect(calls).toEqual(["connected", "lost: the connection ended"]);
  });

  it("doesn't report a loss from before it was stopped when it is started again", async () => {
    const { listener, clients, calls } = await start();
    clients[0]?.emit("end");
    listener.stop();
    listener.start();
    await settled();
    expect(clients).toHaveLength(2);
    expect(calls).toEqual(["connected", "connected"]);
  });

  it("ignores a connection that opens after it was stopped", async () => {
    let open = () => {};
    const opening = new Promise<void>((resolve) => {
      open = resolve;
    });
    const prepare = (client: FakeClient, index: number) => {
      if (index === 0) client.connect = () => opening;
    };
    const { listener, time, clients, calls } = await start({ prepare });
    listener.stop();
    listener.start();
    await settled();
    open();
    await settled();
    expect(clients.map(({ isEnded }) => isEnded)).toEqual([true, false]);
    expect(calls).toEqual(["connected"]);
    expect(time.pending).toBe(1);
  });
});
