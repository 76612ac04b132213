import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SchemaVersionError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { type PostgresPool, type PostgresStoreOptions, postgresStore } from "../../../src/store/postgres/index.ts";
import { migrations } from "../../../src/store/postgres/schema/migrations.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { addSession, addUser, newSession, readAfter, rotationOf, toHash, useOf } from "../contract/records.ts";
import { eventually, provideServer } from "./server.ts";

const server = provideServer();
let admin: pg.Client;
let schema: string;
let schemas = 0;
const stores: Store[] = [];
const pools: pg.Pool[] = [];

beforeAll(async () => {
  admin = new pg.Client(server.url);
  await admin.connect();
});
afterAll(() => admin.end());
beforeEach(() => {
  schemas += 1;
  schema = `database_${schemas}`;
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});

function open(options: Partial<PostgresStoreOptions> = {}): Store {
  const source = "pool" in options ? {} : { connectionString: server.url };
  const store = postgresStore({ schema, ...source, ...longTimeouts, ...options } as PostgresStoreOptions);
  stores.push(store);
  return store;
}

async function openMigrated(options: Partial<PostgresStoreOptions> = {}): Promise<Store> {
  const store = open(options);
  await store.migrate();
  return store;
}

function createPool(config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: server.url, ...config });
  pools.push(pool);
  return pool;
}

describe("postgresStore", () => {
  it("creates only indexes whose use docs/postgresql.md explains", async () => {
    await openMigrated();
    const { rows } = await admin.query(
      "SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = $1::regnamespace AND NOT i.indisunique",
      [schema],
    );
    const page = readFileSync(resolve(import.meta.dirname, "../../../docs/postgresql.md"), "utf8");
    const [, named = ""] = page.split("## Indexes");
    const names = rows.map(({ name }) => String(name));
    expect(names).toContain("sessions_by_cleanup");
    expect(names.filter((name) => !named.includes(`\`${name}\``))).toEqual([]);
  });

  it("throws a TypeError for invalid options", () => {
    const connectionString = server.url;
    for (const options of [
      "",
      { connectionString: "" },
      { pool: null },
      { connectionString, schema: "Auth" },
      { connectionString, schema: 'a"; DROP' },
      { connectionString, schema: "pg_auth" },
      { connectionString, maxConnections: 0 },
      { connectionString, connectTimeout: 0.5 },
      { connectionString, lockTimeout: 6_000 },
    ]) {
      expect(() => postgresStore(options as unknown as PostgresStoreOptions)).toThrow(TypeError);
    }
  });

  it("throws a TypeError for unknown options and suggests the closest name", () => {
    const connectionString = server.url;
    const toMessage = (options: object) => {
      try {
        return postgresStore(options as PostgresStoreOptions);
      } catch (error) {
        return error instanceof TypeError && error.message;
      }
    };
    expect(toMessage({ connectionString, lockTimout: 1 })).toBe(
      "postgresStore: lockTimout is not an option. Did you mean lockTimeout?",
    );
    expect(toMessage({ connectionString, databaseSchema: "auth" })).toMatch(
      /^postgresStore: databaseSchema is not an option\. The options are connectionString, .*schema/,
    );
    expect(toMessage({ pool: createPool(), maxConnections: 3 })).toMatch(
      /^postgresStore with a pool: maxConnections is not an option\. /,
    );
  });

  it("adds its listeners to a pool once, even if many stores share the pool", async () => {
    const pool = createPool({ max: 1 });
    await Promise.all(Array.from({ length: 12 }, () => openMigrated({ pool })));
    expect([pool.listenerCount("error"), pool.listenerCount("connect")]).toEqual([1, 1]);
    const client = await pool.connect();
    expect(client.listenerCount("error")).toBe(1);
    client.release();
  });

  it("accepts a pool with type parsers of its own and never closes it", async () => {
    const types = { getTypeParser: () => () => "parsed otherwise" } as unknown as pg.CustomTypesConfig;
    const pool = createPool({ types });
    const store = await openMigrated({ pool: pool satisfies PostgresPool });
    await addSession(store, "s", await addUser(store, "alice"));
    expect(await store.sessions.rotate(rotationOf("s", 0))).toMatchObject({
      session: { generation: 1, currentHash: toHash(1), persistent: true, revokedAt: null },
    });
    await store.close();
    expect(await pool.query("SELECT 1")).toMatchObject({ rowCount: 1 });
  });

  it("uses the database's clock in whole seconds", async () => {
    const store = await openMigrated();
    const before = Math.floor(Date.now() / 1_000);
    const { now } = await addSession(store, "s", await addUser(store, "alice"));
    expect(Number.isInteger(now)).toBe(true);
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now() / 1_000);
  });

  it.each([false, true])(
    "leaves no state on a pooled connection except prepared statements (preparedStatements: %s)",
    async (prepared) => {
      const pool = createPool({ max: 1 });
      const store = await openMigrated({ pool, preparedStatements: prepared });
      const user = await addUser(store, "alice");
      await addSession(store, "s", user);
      await store.sessions.rotate(rotationOf("s", 0));
      await store.sessions.decide("s", () => ({ result: null, revoke: "reuse" }));
      await store.users.disable(user);
      await store.sessions.revokeAll("revoked");
      await store.feed.read(readAfter(null));
      const { rows } = await pool.query(`SELECT current_setting('lock_timeout') AS lock,
      current_setting('statement_timeout') AS statement, current_setting('transaction_isolation') AS isolation,
      (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks,
      (SELECT count(*) > 0 FROM pg_prepared_statements) AS prepared`);
      expect(rows).toEqual([{ lock: "0", statement: "0", isolation: "read committed", locks: 0, prepared }]);
    },
  );

  it.each(["lost", "taken"])("stops preparing statements if a proxy has %s them", async (how) => {
    const pool = createPool({ max: 1 });
    const store = await openMigrated({ pool });
    const user = await addUser(store, "alice");
    await addSession(store, "s", user);
    await store.sessions.rotate(rotationOf("s", 0));
    const { rows } = await pool.query<{ name: string }>("SELECT name FROM pg_prepared_statements");
    expect(rows.length).toBeGreaterThan(0);
    if (how === "lost") await pool.query("DEALLOCATE ALL");
    else {
      // A new connection, on which another client's statements have our names.
      await pool.query("SELECT pg_terminate_backend(pg_backend_pid())").catch(() => {});
      for (const { name } of rows) await pool.query(`PREPARE "${name}" AS SELECT 1`);
    }
    expect(await store.sessions.rotate(rotationOf("s", 1))).toMatchObject({ session: { generation: 2 } });
    expect(await addSession(store, "t", user)).toMatchObject({ session: { generation: 0 } });
    expect(await store.sessions.rotate(rotationOf("s", 2))).toMatchObject({ session: { generation: 3 } });
    const left = how === "lost" ? 0 : rows.length;
    expect(await pool.query("SELECT FROM pg_prepared_statements")).toMatchObject({ rowCount: left });
  });

  it("finds nothing under ids that no row can have", async () => {
    const store = await openMigrated();
    const user = await addUser(store, "alice");
    for (const id of ["", "no uuid", "\0", "a\0b", "\ud800", "x".repeat(100_000), "'; --", ":now"]) {
      const rotation = rotationOf(id, Number.MAX_SAFE_INTEGER);
      expect(await store.sessions.rotate(rotation)).toBeNull();
      expect(await store.sessions.find(id)).toBeNull();
      expect(await store.sessions.revoke(id, "logout", { userId: user })).toMatchObject({ sessions: 0 });
      expect(await store.users.findById(id)).toBeNull();
      expect(await store.sessions.create(newSession("s", id))).toMatchObject({ reason: "user_gone" });
    }
    const epoch = await store.sessions.create(newSession("s", user, { userEpoch: Number.MAX_SAFE_INTEGER }));
    expect(epoch).toMatchObject({ reason: "user_epoch_changed" });
  });
});

describe("the schema of a PostgreSQL store", () => {
  it("is created by `migrate`, and `checkSchema` says how to create it", async () => {
    const store = open();
    await expect(store.checkSchema()).rejects.toThrow(/tokenpair migrate.*store\.migrate\(\)/);
    expect(await store.migrate()).toEqual(migrations.map(({ name }) => name));
    await store.checkSchema();
  });

  it("is refused if it is newer than this version", async () => {
    const store = await openMigrated();
    await admin.query(`INSERT INTO ${schema}.tokenpair_migrations VALUES (99, '0099_future')`);
    await expect(store.checkSchema()).rejects.toThrow(SchemaVersionError);
    await expect(store.checkSchema()).rejects.toMatchObject({ isNewer: true });
    await expect(store.migrate()).rejects.toThrow("upgrade tokenpair");
  });

  it("is not created beside another program's tables, which stay as they are", async () => {
    await admin.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.sessions (cookie text)`);
    await expect(open().migrate()).rejects.toThrow("its own schema");
    const { rows } = await admin.query("SELECT tablename FROM pg_tables WHERE schemaname = $1", [schema]);
    expect(rows).toEqual([{ tablename: "sessions" }]);
  });

  it("needs no right to change tables if it is up to date", async () => {
    const owner = await openMigrated();
    await addUser(owner, "alice");
    await admin.query(`CREATE ROLE ${schema}_app LOGIN PASSWORD 'app'; GRANT USAGE ON SCHEMA ${schema} TO ${schema}_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${schema}_app`);
    const store = open({ connectionString: `postgres://${schema}_app:app@127.0.0.1:${server.port}/postgres` });
    expect(await store.migrate()).toEqual([]);
    await addSession(store, "s", "1", { updateLastLogin: true });
    expect(await store.users.disable("1")).toMatchObject({ sessions: 1 });
    expect(await store.deleteExpired({ limit: 10, horizon: 0 })).toEqual({
      sessions: 0,
      revocations: 0,
      failures: 0,
      auditEntries: 0,
      legacyTokens: 0,
      loginTickets: 0,
    });
  });
});

describe("the sessions of a PostgreSQL store", () => {
  it.each(["is_active = false", "epoch = epoch + 1"])(
    "can't be refreshed after their user's row was changed by hand: %s",
    async (change) => {
      const store = await openMigrated();
      const user = await addUser(store, "alice");
      const ids = ["a", "b", "c"];
      for (const id of ids) await addSession(store, id, user);
      await admin.query(`UPDATE ${schema}.users SET ${change}`);
      expect(await store.sessions.touch(useOf("a"))).toBeNull();
      expect(await store.sessions.rotate(rotationOf("a", 0))).toBeNull();
      expect(await Promise.all(ids.map((id) => store.sessions.rotate(rotationOf(id, 0))))).toEqual([null, null, null]);
    },
  );

  it("are updated in place by rotations: most updates are HOT and touch no index", async () => {
    const store = await openMigrated();
    const user = await addUser(store, "alice");
    const ids = Array.from({ length: 200 }, (_, i) => `session-${i}`);
    for (const id of ids) await addSession(store, id, user, { userAgent: "Mozilla/5.0 ".repeat(9) });
    for (let generation = 0; generation < 10; generation++) {
      // Twenty at a time, from all over the table, because a page has no room for new versions of all its rows.
      for (let first = 0; first < 10; first++) {
        const some = ids.filter((_, i) => i % 10 === first);
        await Promise.all(some.map((id) => store.sessions.rotate(rotationOf(id, generation))));
      }
    }
    // The server adds a connection's counts to its statistics at the latest when it has closed the connection.
    await store.close();
    const readUpdates = async () => {
      const statistics = `SELECT n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables
        WHERE schemaname = $1 AND relname = 'sessions'`;
      return (await admin.query(statistics, [schema])).rows[0];
    };
    await expect.poll(async () => (await readUpdates()).updates, eventually).toBe(2_000);
    const { updates, hot } = await readUpdates();
    console.log(`rotations that were HOT updates: ${hot} of ${updates}`);
    expect(hot / updates).toBeGreaterThan(0.9);
  });

  it("are skipped by the cleanup if another transaction has locked them", async () => {
    let now = 1_000;
    const store = await openMigrated({ now: () => now });
    const user = await addUser(store, "alice");
    for (const id of ["a", "b", "c"]) await addSession(store, id, user, { idleLifetime: 100 });
    now += 100;
    await admin.query(`BEGIN; SELECT FROM ${schema}.sessions WHERE id = 'b' FOR UPDATE`);
    expect(await store.deleteExpired({ limit: 10, horizon: 0 })).toMatchObject({ sessions: 2 });
    await admin.query("COMMIT");
    expect(await store.deleteExpired({ limit: 10, horizon: 0 })).toMatchObject({ sessions: 1 });
  });

  it("all get a new cleanup time in one call of the cleanup if they were refreshed", async () => {
    let now = 1_000;
    const store = await openMigrated({ now: () => now });
    const user = await addUser(store, "alice");
    const ids = ["a", "b", "c", "d", "e"];
    for (const id of ids) await addSession(store, id, user, { idleLifetime: 100 });
    now += 90;
    for (const id of ids) await store.sessions.rotate(rotationOf(id, 0));
    now += 10;
    expect(await store.deleteExpired({ limit: 2, horizon: 60 })).toMatchObject({ sessions: 0 });
    const { rows } = await admin.query(`SELECT DISTINCT cleanup_at::int AS at FROM ${schema}.sessions`);
    expect(rows).toEqual([{ at: 1_190 }]);
  });

  it("get a new cleanup time only from the cleanup, not from every refresh", async () => {
    let now = 1_000;
    const store = await openMigrated({ now: () => now });
    await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 100 });
    const readCleanupAt = async () =>
      Number((await admin.query(`SELECT cleanup_at FROM ${schema}.sessions`)).rows[0].cleanup_at);
    now += 90;
    await store.sessions.rotate(rotationOf("s", 0));
    expect(await readCleanupAt()).toBe(1_100);
    now += 10;
    await store.deleteExpired({ limit: 10, horizon: 60 });
    expect(await readCleanupAt()).toBe(1_190);
  });
});
