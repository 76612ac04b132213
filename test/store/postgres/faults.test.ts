import { type AddressInfo, createServer } from "node:net";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { type PostgresBehaviour, postgresStore } from "../../../src/store/postgres/index.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres.ts";
import { addSession, addUser, isLive, newUser, rotationOf } from "../contract/records.ts";

let server: PostgresServer;
let admin: pg.Client;
let schema: string;
let schemas = 0;
const stores: Store[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  schemas += 1;
  schema = `faults_${schemas}`;
  admin = new pg.Client(server.url);
  admin.on("error", () => {});
  await admin.connect();
});
afterEach(async () => {
  await admin.end();
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

/** A store with alice ("1") and her session "s". */
async function openStore(options: PostgresBehaviour & { readonly maxConnections?: number } = {}): Promise<Store> {
  const store = postgresStore({ connectionString: server.url, schema, ...options });
  stores.push(store);
  await store.migrate();
  await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 3_600, absoluteLifetime: 3_600 });
  return store;
}

/** Every statement that changes a row of `table` takes this long. */
async function slowDown(table: string, seconds: number): Promise<void> {
  await admin.query(`CREATE FUNCTION ${schema}.delay() RETURNS trigger LANGUAGE plpgsql
      AS 'BEGIN PERFORM pg_sleep(${seconds}); RETURN NEW; END';
    CREATE TRIGGER delay BEFORE INSERT OR UPDATE ON ${schema}.${table}
      FOR EACH ROW EXECUTE FUNCTION ${schema}.delay()`);
}

const hold = () => admin.query(`BEGIN; UPDATE ${schema}.sessions SET label = 'held'`);

async function measure(work: Promise<unknown>): Promise<{ error: unknown; milliseconds: number }> {
  const start = performance.now();
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, milliseconds: performance.now() - start };
}

describe("a PostgreSQL store that cannot answer", () => {
  it("is unavailable where a lock is held past the timeout, and has changed nothing", async () => {
    const store = await openStore({ lockTimeout: 50 });
    await hold();
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
    await expect(attempts[0]).rejects.toThrow(/^sessions\.rotate: 55P03$/);
    await admin.query("ROLLBACK");
    expect(await store.users.findById("1")).toMatchObject({ isActive: true, epoch: 0, passwordHash: "hash-1" });
    expect(await store.sessions.rotate(rotationOf("s", 0))).toMatchObject({ session: { generation: 1 } });
  });

  it("is unavailable where a statement takes too long, and has changed nothing", async () => {
    const store = await openStore({ lockTimeout: 50, statementTimeout: 100 });
    await slowDown("revocations", 5);
    await expect(store.sessions.revoke("s", "logout")).rejects.toThrow(/^sessions\.revoke: 57014$/);
    expect(await isLive(store, "s")).toBe(true);
  });

  it("gives up by itself where the server does not answer a single statement, and goes on with another connection", async () => {
    const store = await openStore({ lockTimeout: 50, statementTimeout: 100, maxConnections: 1 });
    await slowDown("sessions", 3);
    const { error, milliseconds } = await measure(store.sessions.rotate(rotationOf("s", 0)));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(milliseconds).toBeLessThan(2_500);
    expect(await store.users.findById("1")).toMatchObject({ username: "alice" });
  });

  it("refuses at once whoever would wait behind too many, and the others after the connect timeout", async () => {
    const store = await openStore({ maxConnections: 1, maxWaiting: 2, connectTimeout: 200, lockTimeout: 4_000 });
    await hold();
    const holder = store.sessions.label("s", "1", "changed");
    const waiting = [measure(store.users.findById("1")), measure(store.users.findById("1"))];
    const refused = await measure(store.users.findById("1"));
    expect(refused.error).toMatchObject({ name: "StoreUnavailableError", message: /too many wait/ });
    for (const { error, milliseconds } of await Promise.all(waiting)) {
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(milliseconds).toBeGreaterThanOrEqual(190);
      expect(milliseconds).toBeLessThan(2_000);
      expect(refused.milliseconds).toBeLessThan(milliseconds);
    }
    await admin.query("ROLLBACK");
    expect(await holder).toMatchObject({ label: "changed" });
    expect(await store.users.findById("1")).not.toBeNull();
  });

  it("survives that its connections are killed, in use and idle", async () => {
    const store = await openStore();
    await hold();
    const rotation = measure(store.sessions.rotate(rotationOf("s", 0)));
    await expect.poll(killOthers).toBeGreaterThan(0);
    expect((await rotation).error).toBeInstanceOf(StoreUnavailableError);
    await admin.query("ROLLBACK");
    await expect.poll(() => store.sessions.find("s").catch(() => null)).toMatchObject({ session: { generation: 0 } });
    await killOthers();
    await expect.poll(() => store.sessions.find("s").catch(() => null)).not.toBeNull();
  });

  async function killOthers(): Promise<number> {
    const { rowCount } = await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'tokenpair' AND (wait_event_type = 'Lock' OR state = 'idle')`,
    );
    return rowCount ?? 0;
  }

  it("survives a server that ends a connection with the same packet in which it has welcomed it", async () => {
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
    const store = postgresStore({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
    stores.push(store);
    const { error } = await measure(store.checkSchema());
    expect(error).toBeInstanceOf(StoreUnavailableError);
    await new Promise((resolve) => fake.close(resolve));
  });

  it.each([false, true])("recovers by itself once the database is back; after a crash: %s", async (crash) => {
    const store = await openStore({ connectTimeout: 500 });
    await store.sessions.revoke("s", "logout");
    await server.restart({
      crash,
      whileDown: async () => {
        const { error } = await measure(store.sessions.find("s"));
        expect(error).toBeInstanceOf(StoreUnavailableError);
      },
    });
    expect(await store.sessions.find("s")).toMatchObject({ session: { revokeReason: "logout" } });
    expect((await store.feed.read({ after: null, horizon: 60 })).revocations).toHaveLength(1);
  });

  it("is unavailable where nothing listens, the password is wrong, or the database does not exist", async () => {
    const { port } = server;
    const unreachable = [
      ["ECONNREFUSED, nothing listens there", `postgres://postgres:password@127.0.0.1:1/postgres`],
      ["28P01, the password was refused", `postgres://postgres:wrong@127.0.0.1:${port}/postgres`],
      ["3D000, there is no such database", `postgres://postgres:password@127.0.0.1:${port}/nowhere`],
    ] as const;
    for (const [reason, connectionString] of unreachable) {
      const store = postgresStore({ connectionString, schema });
      stores.push(store);
      const { error } = await measure(store.checkSchema());
      expect(error).toMatchObject({ name: "StoreUnavailableError", message: `checkSchema: ${reason}` });
    }
  });

  it("quotes no row in what it throws", async () => {
    const store = await openStore();
    await admin.query(`ALTER TABLE ${schema}.users ADD CHECK (password_hash <> 'a hash to be kept secret')`);
    const { error } = await measure(
      store.users.create({ ...newUser("bob"), passwordHash: "a hash to be kept secret" }),
    );
    expect(error).toMatchObject({ code: "23514" });
    expect(`${error} ${JSON.stringify(error)} ${JSON.stringify(Object.values(error as object))}`).not.toContain(
      "secret",
    );
  });
});
