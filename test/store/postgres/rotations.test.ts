import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { type PostgresBehaviour, postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { addSession, addUser, rotationOf, toHash } from "../contract/records.ts";
import { countStoreConnections, eventually, killStoreConnections, provideServer } from "./server.ts";

const ids = Array.from({ length: 50 }, (_, i) => `s${i}`);

const server = provideServer();
let admin: pg.Client;
let schema: string;
let schemas = 0;
const stores: Store[] = [];

beforeEach(async () => {
  schemas += 1;
  schema = `rotations_${schemas}`;
  admin = new pg.Client(server.url);
  await admin.connect();
});
afterEach(async () => {
  await admin.end();
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

function open(options: PostgresBehaviour = {}, connectionString = server.url): Store {
  const store = postgresStore({ connectionString, schema, ...longTimeouts, ...options });
  stores.push(store);
  return store;
}

/** Opens a store with alice and the sessions `ids`. */
async function openStore(): Promise<Store> {
  const store = open();
  await store.migrate();
  const user = await addUser(store, "alice");
  await Promise.all(ids.map((id) => addSession(store, id, user, { idleLifetime: 3_600, absoluteLifetime: 3_600 })));
  return store;
}

const rotateAll = (store: Store) => ids.map((id) => store.sessions.rotate(rotationOf(id, 0)));

describe("concurrent rotations of a PostgreSQL store", () => {
  it("run in one statement", async () => {
    const store = await openStore();
    await admin.query(`CREATE TABLE ${schema}.statements (id int GENERATED ALWAYS AS IDENTITY);
      CREATE FUNCTION ${schema}.count() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN INSERT INTO ${schema}.statements DEFAULT VALUES; RETURN NULL; END';
      CREATE TRIGGER count AFTER UPDATE ON ${schema}.sessions EXECUTE FUNCTION ${schema}.count()`);
    await Promise.all(rotateAll(store));
    expect((await admin.query(`SELECT FROM ${schema}.statements`)).rowCount).toBe(1);
  });

  it("don't wait for one of them whose row another transaction holds", async () => {
    const store = await openStore();
    await admin.query(`BEGIN; UPDATE ${schema}.sessions SET label = 'held' WHERE id = 's25'`);
    const rotations = rotateAll(store);
    let held: unknown = "waiting";
    void rotations[25]?.then((result) => (held = result));
    const others = await Promise.all(rotations.filter((_, i) => i !== 25));
    expect(others.filter((result) => result === null)).toEqual([]);
    expect(held).toBe("waiting");
    await admin.query("COMMIT");
    expect(await rotations[25]).toMatchObject({ session: { id: "s25", generation: 1, label: "held" } });
  });

  it("don't wait for earlier rotations whose rows another transaction holds", async () => {
    const store = await openStore();
    await admin.query(`BEGIN; UPDATE ${schema}.sessions SET label = 'held' WHERE id < 's2'`);
    const held: Promise<unknown>[] = [];
    for (const id of ["s0", "s1", "s10", "s11"]) {
      held.push(store.sessions.rotate(rotationOf(id, 0)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await store.sessions.rotate(rotationOf("s2", 0))).toMatchObject({ session: { generation: 1 } });
    expect(await Promise.race([...held, "waiting"])).toBe("waiting");
    await admin.query("COMMIT");
    for (const result of await Promise.all(held)) expect(result).toMatchObject({ session: { generation: 1 } });
  });

  it("are refused at once and counted if too many wait for a batch", async () => {
    await openStore();
    const store = open({ maxWaiting: 5 });
    await admin.query(`BEGIN; LOCK TABLE ${schema}.sessions IN SHARE MODE`);
    const rotations: Promise<unknown>[] = [];
    for (const pair of [ids.slice(0, 2), ids.slice(2, 4)]) {
      rotations.push(...pair.map((id) => store.sessions.rotate(rotationOf(id, 0))));
      await new Promise((resolve) => setImmediate(resolve));
    }
    rotations.push(...ids.slice(4, 9).map((id) => store.sessions.rotate(rotationOf(id, 0))));
    await expect(store.sessions.rotate(rotationOf("s9", 0))).rejects.toThrow(
      /^sessions\.rotate: 5 calls are waiting already: /,
    );
    expect(store.connections?.()).toMatchObject({ refused: 1 });
    await admin.query("COMMIT");
    for (const result of await Promise.all(rotations)) expect(result).toMatchObject({ session: { generation: 1 } });
  });

  it("don't fail with one of them whose row stays locked longer than lockTimeout", async () => {
    await openStore();
    const store = open({ lockTimeout: 250 });
    await admin.query(`BEGIN; UPDATE ${schema}.sessions SET label = 'held' WHERE id = 's25'`);
    const results = await Promise.allSettled(rotateAll(store));
    await admin.query("ROLLBACK");
    expect(results.flatMap(({ status }, i) => (status === "rejected" ? [i] : []))).toEqual([25]);
    expect(results[25]).toMatchObject({ reason: { message: expect.stringMatching(/^sessions\.rotate: 55P03, /) } });
  });

  it("return null for a session that was revoked while they waited for it", async () => {
    const store = await openStore();
    await admin.query(`BEGIN; UPDATE ${schema}.sessions SET revoked_at = 1, revoke_reason = 'logout' WHERE id = 's25'`);
    const rotations = rotateAll(store);
    await Promise.all(rotations.filter((_, i) => i !== 25));
    await admin.query("COMMIT");
    expect(await rotations[25]).toBeNull();
  });

  it("don't fail with one of them that the database rejects", async () => {
    const store = await openStore();
    await admin.query(`ALTER TABLE ${schema}.sessions ADD CHECK (id <> 's25' OR generation = 0)`);
    const results = await Promise.allSettled(rotateAll(store));
    expect(results.flatMap(({ status }, i) => (status === "rejected" ? [i] : []))).toEqual([25]);
    expect(results[25]).toMatchObject({ reason: { code: "23514" } });
    for (const id of ids) {
      expect(await store.sessions.find(id)).toMatchObject({ session: { generation: id === "s25" ? 0 : 1 } });
    }
  });

  it("all fail as unavailable if their connection breaks", async () => {
    const store = await openStore();
    await admin.query(`BEGIN; LOCK TABLE ${schema}.sessions IN SHARE MODE`);
    const rotations = Promise.allSettled(rotateAll(store));
    await expect.poll(() => killStoreConnections(server.url, "wait_event_type = 'Lock'"), eventually).toBe(1);
    for (const result of await rotations) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "StoreUnavailableError" } });
    }
    await admin.query("ROLLBACK");
    expect(await store.sessions.find("s0")).toMatchObject({ session: { generation: 0 } });
  });

  it.each(["read committed", "serializable"])(
    "of three nodes succeed once per session and generation without a deadlock, if the default isolation is %s",
    async (isolation) => {
      await openStore().then((store) => store.close());
      const options = encodeURIComponent(`-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`);
      const nodes = [0, 1, 2].map(() => open({}, `${server.url}?options=${options}`));
      const orders = [ids, [...ids].reverse(), [...ids].sort()];
      const deadlocks = "SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()";
      const before = await admin.query(deadlocks);
      const hashes = new Map(ids.map((id) => [id, toHash(0)]));
      for (let generation = 0; generation < 10; generation++) {
        const attempts = nodes.flatMap((node, n) =>
          (orders[n] ?? []).map((id) =>
            node.sessions.rotate(
              rotationOf(id, generation, {
                presentedHash: hashes.get(id) ?? toHash(0),
                nextHash: toHash(100 * generation + n),
              }),
            ),
          ),
        );
        const winners = (await Promise.all(attempts)).filter((result) => result !== null);
        expect(winners.map(({ session }) => session.id).sort()).toEqual([...ids].sort());
        for (const { session } of winners) hashes.set(session.id, session.currentHash);
      }
      // The server adds a connection's counts to its statistics at the latest when it has closed the connection.
      await Promise.all(nodes.map((node) => node.close()));
      await expect.poll(() => countStoreConnections(admin), eventually).toBe(0);
      expect((await admin.query(deadlocks)).rows).toEqual(before.rows);
    },
  );
});
