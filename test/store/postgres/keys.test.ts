import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { type PostgresConnectionOptions, postgresStore } from "../../../src/store/postgres/index.ts";
import { migrations } from "../../../src/store/postgres/schema/migrations.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { newKey, newService, readAfter, toHash } from "../contract/records.ts";
import { countLockWaits, eventually, provideServer } from "./server.ts";

const server = provideServer();
let admin: pg.Client;
let schema: string;
let schemas = 0;
const stores: Store[] = [];

beforeEach(async () => {
  schemas += 1;
  schema = `keys_${schemas}`;
  admin = new pg.Client(server.url);
  await admin.connect();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await admin.end();
});

function open(options: Partial<PostgresConnectionOptions> = {}): Store {
  const store = postgresStore({ connectionString: server.url, schema, ...longTimeouts, ...options });
  stores.push(store);
  return store;
}

async function openMigrated(options: Partial<PostgresConnectionOptions> = {}): Promise<Store> {
  const store = open(options);
  await store.migrate();
  return store;
}

/** Creates the database of a version that has these migrations, and runs `sql` on it. */
async function createOlder(count: number, sql = ""): Promise<void> {
  const applied = migrations.slice(0, count);
  const script = `CREATE SCHEMA tokenpair; CREATE TABLE tokenpair.tokenpair_migrations
      (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
    ${applied.map((migration) => migration.sql).join("\n")}
    ${applied.map(({ number, name }) => `INSERT INTO tokenpair.tokenpair_migrations VALUES (${number}, '${name}');`).join("\n")}
    ${sql}`;
  await admin.query(script.replaceAll("tokenpair.", `${schema}.`).replace("SCHEMA tokenpair;", `SCHEMA ${schema};`));
}

const alice = `INSERT INTO tokenpair.users (id, username, is_active, is_staff, epoch, created_at)
  VALUES ('1', 'alice', true, false, 0, 1);`;
const session = `INSERT INTO tokenpair.sessions (id, user_id, user_epoch, generation, current_hash, created_at,
  last_used_at, idle_expires_at, absolute_expires_at, persistent, cleanup_at)
  VALUES ('s', '1', 0, 0, '\\x00', 1, 1, 9, 9, true, 9);`;

describe("the migration to the key ring of a PostgreSQL store", () => {
  it("gives refresh tokens their own key at once in a new database", async () => {
    const store = open({ now: () => 5_000 });
    expect(await store.migrate()).toEqual(migrations.map(({ name }) => name));
    expect(await store.keys.read()).toMatchObject({ version: 0, ownRefreshSince: 0, keys: [] });
  });

  it.each<[string, number, string]>([
    ["0.1 has sessions in", 4, alice + session],
    // A node of 0.1 may be serving, and the first login must not go to one that doesn't know the key.
    ["0.1 has created, but not used", 4, ""],
    ["an earlier 0.2 has migrated", 5, alice],
  ])("leaves them as they are in a database that %s, until they are adopted", async (_, count, sql) => {
    await createOlder(count, sql);
    const store = open({ now: () => 5_000 });
    expect(await store.migrate()).toEqual(migrations.slice(count).map(({ name }) => name));
    expect(await store.keys.read()).toMatchObject({ version: 0, ownRefreshSince: null, keys: [] });
    expect(await store.keys.change(0, { ownRefreshSince: 5_060 })).toBe(true);
    expect(await store.keys.change(1, { ownRefreshSince: 6_000 })).toBe(true);
    expect(await store.keys.read()).toMatchObject({ version: 2, ownRefreshSince: 5_060 });
  });
});

describe("the key ring of a PostgreSQL store", () => {
  it.each(["read committed", "serializable"])(
    "is changed from each version exactly once by two nodes, if the default isolation is %s",
    async (isolation) => {
      const options = encodeURIComponent(`-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`);
      const connectionString = `${server.url}?options=${options}`;
      const nodes = [await openMigrated({ connectionString }), open({ connectionString })];
      for (let version = 0; version < 20; version++) {
        const attempts = Array.from({ length: 8 }, (_, i) => i).flatMap((i) =>
          nodes.map((node, n) => node.keys.change(version, { add: [newKey(`${version} ${n} ${i}`)] })),
        );
        const results = await Promise.all(attempts);
        expect(results.filter((isApplied) => isApplied)).toHaveLength(1);
      }
      const [first, second] = await Promise.all(nodes.map((node) => node.keys.read()));
      expect(first).toMatchObject({ version: 20 });
      expect(first?.keys).toHaveLength(20);
      expect(second?.keys).toEqual(first?.keys);
    },
  );

  it("leaves nothing of a change that waited for another one", async () => {
    const store = await openMigrated();
    await admin.query(`BEGIN; UPDATE ${schema}.installation SET keys_version = keys_version + 1`);
    const waiting = store.keys.change(0, { add: [newKey("a")] });
    const other = new pg.Client(server.url);
    await other.connect();
    await expect.poll(() => countLockWaits(other), eventually).toBe(1);
    await other.end();
    await admin.query("COMMIT");
    expect(await waiting).toBe(false);
    expect(await store.keys.read()).toMatchObject({ version: 1, keys: [] });
  });

  it("wakes the subscribers of another node, as the services do", async () => {
    const [store, other] = [await openMigrated(), open()];
    const wakes: (() => void)[] = [];
    const nextWake = () => new Promise<void>((resolve) => wakes.push(resolve));
    const listening = nextWake();
    const stop = other.feed.subscribe(() => wakes.shift()?.());
    await listening;
    const changes: readonly (() => Promise<unknown>)[] = [
      () => store.keys.change(0, { add: [newKey("a")] }),
      () => store.services.create(newService("shop")),
      () => store.services.revoke("shop"),
    ];
    for (const [i, change] of changes.entries()) {
      const woken = nextWake();
      await change();
      await woken;
      expect((await other.feed.read(readAfter(null))).state.keysVersion).toBe(i + 1);
    }
    stop();
  });

  it("is changed durably, as the services are, whatever the role's default is", async () => {
    const options = encodeURIComponent("-c synchronous_commit=off");
    const store = await openMigrated({ connectionString: `${server.url}?options=${options}` });
    await admin.query(`CREATE TABLE ${schema}.seen (setting text);
      CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO ${schema}.seen VALUES (current_setting(''synchronous_commit'')); RETURN NEW; END';
      CREATE TRIGGER note BEFORE UPDATE ON ${schema}.installation FOR EACH ROW EXECUTE FUNCTION ${schema}.note()`);
    await store.keys.change(0, { add: [newKey("a")] });
    await store.services.create(newService("shop"));
    await store.services.rotate("shop", { credentialHash: toHash(2), prefix: "prefix02", overlap: 60 });
    await store.services.revoke("shop");
    const { rows } = await admin.query(`SELECT setting FROM ${schema}.seen`);
    expect(rows.map(({ setting }) => setting)).toEqual(["on", "on", "on", "on"]);
  });
});

describe("the services of a PostgreSQL store", () => {
  it("keep the replaced credential until the overlap is over by the database's clock", async () => {
    const store = await openMigrated();
    const before = Math.floor(Date.now() / 1000);
    await store.services.create(newService("shop"));
    const rotated = await store.services.rotate("shop", {
      credentialHash: toHash(2),
      prefix: "prefix02",
      overlap: 3_600,
    });
    expect(rotated?.previousUntil ?? 0).toBeGreaterThanOrEqual(before + 3_600);
    expect(rotated?.previousUntil ?? 0).toBeLessThanOrEqual(Math.floor(Date.now() / 1000) + 3_600);
    expect(await store.services.find(toHash(1))).toMatchObject({ name: "shop", validUntil: rotated?.previousUntil });
    await admin.query(`UPDATE ${schema}.services SET previous_until = floor(extract(epoch FROM clock_timestamp()))`);
    expect(await store.services.find(toHash(1))).toBeNull();
    expect(await store.services.find(toHash(2))).toMatchObject({ name: "shop", previousUntil: null });
  });

  it("are found by unique indexes, and leave no hash behind when they are revoked", async () => {
    const store = await openMigrated();
    const read = async () =>
      (await admin.query(`SELECT credential_hash AS a, previous_hash AS b FROM ${schema}.services`)).rows[0];
    const indexes = `SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
      WHERE indrelid = '${schema}.services'::regclass AND indisunique ORDER BY attname`;
    expect((await admin.query(indexes)).rows.map(({ attname }) => attname)).toEqual([
      "credential_hash",
      "name",
      "previous_hash",
    ]);
    await store.services.create(newService("shop"));
    await store.services.rotate("shop", { credentialHash: toHash(2), prefix: "prefix02", overlap: 3_600 });
    expect(Object.values(await read()).map((hash) => new Uint8Array(hash as Buffer))).toEqual([toHash(2), toHash(1)]);
    await store.services.revoke("shop");
    expect(await read()).toEqual({ a: null, b: null });
  });
});
