import { type AddressInfo, createServer } from "node:net";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { type PostgresConnectionOptions, postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { addSession, addUser, isLive, newUser, readAfter, rotationOf } from "../contract/records.ts";
import { eventually, killStoreConnections, provideServer } from "./server.ts";

const server = provideServer();
let admin: pg.Client;
let schema: string;
let schemas = 0;
/**
 * A store without short timeouts, over the same schema as the store under test. It has alice ("1") and her session "s".
 */
let observer: Store;
const stores: Store[] = [];

beforeEach(async () => {
  schemas += 1;
  schema = `faults_${schemas}`;
  admin = new pg.Client(server.url);
  admin.on("error", () => {});
  await admin.connect();
  observer = open();
  await observer.migrate();
  await addSession(observer, "s", await addUser(observer, "alice"), { idleLifetime: 3_600, absoluteLifetime: 3_600 });
});
afterEach(async () => {
  await admin.end();
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

function open(options: Partial<PostgresConnectionOptions> = {}): Store {
  const store = postgresStore({ connectionString: server.url, schema, ...longTimeouts, ...options });
  stores.push(store);
  return store;
}

/** Makes every statement that changes a row of `table` take a minute. */
async function slowDown(table: string): Promise<void> {
  await admin.query(`CREATE FUNCTION ${schema}.delay() RETURNS trigger LANGUAGE plpgsql
      AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
    CREATE TRIGGER delay BEFORE INSERT OR UPDATE ON ${schema}.${table}
      FOR EACH ROW EXECUTE FUNCTION ${schema}.delay()`);
}

/** Locks every session in a transaction of another program. */
const lockSessions = () => admin.query(`BEGIN; UPDATE ${schema}.sessions SET label = 'held'`);

/** Returns the error of a call, and how long the call took. */
async function fail(call: Promise<unknown>): Promise<{ error: unknown; milliseconds: number }> {
  const start = performance.now();
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, milliseconds: performance.now() - start };
}

describe("a PostgreSQL store that can't answer", () => {
  it("fails as unavailable and changes nothing if a lock is held longer than lockTimeout", async () => {
    const store = open({ lockTimeout: 50 });
    await lockSessions();
    const attempts = [
      store.sessions.rotate(rotationOf("s", 0)),
      store.sessions.revoke("s", "logout"),
      store.sessions.decide("s", () => ({ result: null, revoke: "reuse" })),
      store.users.disable("1"),
      store.users.setPassword("1", "hash-2"),
    ];
    for (const attempt of await Promise.allSettled(attempts)) {
      expect(attempt).toMatchObject({ status: "rejected", reason: { name: "StoreUnavailableError" } });
    }
    await expect(attempts[0]).rejects.toThrow(/^sessions\.rotate: 55P03, .*longer than lockTimeout$/);
    await admin.query("ROLLBACK");
    expect(await store.users.findById("1")).toMatchObject({ isActive: true, epoch: 0, passwordHash: "hash-1" });
    expect(await store.sessions.rotate(rotationOf("s", 0))).toMatchObject({ session: { generation: 1 } });
  });

  it("fails as unavailable and changes nothing if a statement takes longer than statementTimeout", async () => {
    await slowDown("revocations");
    const store = open({ lockTimeout: 50, statementTimeout: 2_000 });
    // After a pause of this process, the driver has given up before it sees the server's answer.
    const errors: string[] = [];
    const revoke = () => store.sessions.revoke("s", "logout").catch(({ message }: Error) => void errors.push(message));
    const last = () => revoke().then(() => errors.at(-1));
    await expect.poll(last, eventually).toMatch(/^sessions\.revoke: 57014, .*longer than statementTimeout$/);
    for (const error of errors) expect(error).toMatch(/^sessions\.revoke: (?:57014|55P03|.*timeout)/);
    expect(await isLive(observer, "s")).toBe(true);
  });

  it("stops waiting for a single statement by itself, and continues on another connection", async () => {
    await slowDown("sessions");
    const store = open({ lockTimeout: 50, statementTimeout: 1_000, maxConnections: 1 });
    const { error, milliseconds } = await fail(store.sessions.rotate(rotationOf("s", 0)));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(milliseconds).toBeLessThan(50_000);
    await expect
      .poll(() => store.users.findById("1").catch(() => null), eventually)
      .toMatchObject({ username: "alice" });
  });

  it("refuses a call at once if too many wait for a connection, and the waiting ones after connectTimeout", async () => {
    const store = open({ maxConnections: 1, maxWaiting: 2, connectTimeout: 200 });
    // Opens the one connection, which is idle afterwards.
    await expect.poll(() => store.users.findById("1").catch(() => null), eventually).not.toBeNull();
    const refusedBefore = store.connections?.().refused ?? 0;
    await lockSessions();
    const holder = store.sessions.label("s", "1", "changed");
    const waiting = [fail(store.users.findById("1")), fail(store.users.findById("1"))];
    const refused = await fail(store.users.findById("1"));
    expect(refused.error).toBeInstanceOf(StoreUnavailableError);
    expect(refused.error).toMatchObject({
      message: expect.stringMatching(/^users\.findById: 2 calls are waiting for a connection already: /),
    });
    for (const { error, milliseconds } of await Promise.all(waiting)) {
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error).toMatchObject({ message: "users.findById: no connection within connectTimeout (200 ms)" });
      expect(milliseconds).toBeGreaterThanOrEqual(190);
      expect(refused.milliseconds).toBeLessThan(milliseconds);
    }
    expect(store.connections?.()).toMatchObject({ refused: refusedBefore + 3 });
    await admin.query("ROLLBACK");
    expect(await holder).toMatchObject({ label: "changed" });
    expect(await store.users.findById("1")).not.toBeNull();
  });

  it("fails as unavailable if its connection is killed during a call, and continues on another one", async () => {
    const store = open();
    await lockSessions();
    const rotation = fail(store.sessions.rotate(rotationOf("s", 0)));
    let isOver = false;
    void rotation.then(() => {
      isOver = true;
    });
    await expect
      .poll(async () => {
        await killStoreConnections(server.url, "wait_event_type = 'Lock'");
        return isOver;
      }, eventually)
      .toBe(true);
    expect((await rotation).error).toBeInstanceOf(StoreUnavailableError);
    await admin.query("ROLLBACK");
    await expect
      .poll(() => store.sessions.find("s").catch(() => null), eventually)
      .toMatchObject({ session: { generation: 0 } });
  });

  it("continues on another connection after its idle connections were killed", async () => {
    const store = open();
    expect(await store.sessions.find("s")).not.toBeNull();
    await expect.poll(() => killStoreConnections(server.url, "state = 'idle'"), eventually).toBeGreaterThan(0);
    await expect.poll(() => store.sessions.find("s").catch(() => null), eventually).not.toBeNull();
  });

  it("fails as unavailable if the server accepts and closes a connection in one packet", async () => {
    // AuthenticationOk, ReadyForQuery.
    const welcome = Buffer.from("5200000008000000005a0000000549", "hex");
    const farewell = Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0");
    const head = Buffer.from([0x45, 0, 0, 0, farewell.length + 4]);
    const fake = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(Buffer.concat([welcome, head, farewell])));
    });
    await new Promise<void>((resolve) => fake.listen(0, "127.0.0.1", resolve));
    const { port } = fake.address() as AddressInfo;
    const store = open({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
    const { error } = await fail(store.checkSchema());
    expect(error).toBeInstanceOf(StoreUnavailableError);
    await new Promise((resolve) => fake.close(resolve));
  });

  it.each(["a restart", "a crash"])("recovers by itself after %s of the server", async (what) => {
    const store = open();
    await store.sessions.revoke("s", "logout");
    await server.restart({
      crash: what === "a crash",
      whileDown: async () => {
        const { error } = await fail(store.sessions.find("s"));
        expect(error).toBeInstanceOf(StoreUnavailableError);
      },
    });
    expect(await store.sessions.find("s")).toMatchObject({ session: { revokeReason: "logout" } });
    expect((await store.feed.read(readAfter(null))).revocations).toHaveLength(1);
  });

  it("says why it can't connect: no server, a wrong password or no such database", async () => {
    const { port } = server;
    const unreachable = [
      ["ECONNREFUSED, no server listens on this address", `postgres://postgres:password@127.0.0.1:1/postgres`],
      ["28P01, password authentication failed", `postgres://postgres:wrong@127.0.0.1:${port}/postgres`],
      ["3D000, the database doesn't exist", `postgres://postgres:password@127.0.0.1:${port}/nowhere`],
    ] as const;
    for (const [reason, connectionString] of unreachable) {
      const { error } = await fail(open({ connectionString }).checkSchema());
      expect(error).toMatchObject({ name: "StoreUnavailableError", message: `checkSchema: ${reason}` });
    }
  });

  it("throws errors that quote no row", async () => {
    await admin.query(`ALTER TABLE ${schema}.users ADD CHECK (password_hash <> 'a hash to be kept secret')`);
    const { error } = await fail(
      observer.users.create({ ...newUser("bob"), passwordHash: "a hash to be kept secret" }),
    );
    expect(error).toMatchObject({ code: "23514" });
    expect(`${error} ${JSON.stringify(error)} ${JSON.stringify(Object.values(error as object))}`).not.toContain(
      "secret",
    );
  });
});
