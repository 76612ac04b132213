import fc from "fast-check";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { type PostgresConnectionOptions, postgresStore } from "../../../src/store/postgres/index.ts";
import { isVisible } from "../../../src/store/postgres/snapshot.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { addSession, addUser, readAfter } from "../contract/records.ts";
import { provideServer } from "./server.ts";

const server = provideServer();
let admin: pg.Client;
let schema: string;
let schemas = 0;
const stores: Store[] = [];

beforeEach(async () => {
  schemas += 1;
  schema = `registry_${schemas}`;
  admin = new pg.Client(server.url);
  await admin.connect();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await admin.end();
});

async function open(options: Partial<PostgresConnectionOptions> = {}): Promise<Store> {
  const store = postgresStore({ connectionString: server.url, schema, ...longTimeouts, ...options });
  stores.push(store);
  await store.migrate();
  return store;
}

const node = (id: string) => ({ id, name: null, lease: 1_000, accessTokenLifetime: 300 });

describe("the registry of a PostgreSQL store", () => {
  it("judges what a snapshot covers as PostgreSQL does", async () => {
    const xid = fc.integer({ min: 1, max: 40 });
    const snapshot = fc
      .tuple(xid, fc.integer({ min: 0, max: 10 }), fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }))
      .map(([xmin, size, open]) => {
        const xmax = xmin + size;
        const xip = open.map((n) => xmin + n).filter((each) => each < xmax);
        return `${xmin}:${xmax}:${xip.sort((a, b) => a - b).join(",")}`;
      });
    const samples = fc.sample(fc.tuple(xid, snapshot), 500);
    const { rows } = await admin.query(
      "SELECT pg_visible_in_snapshot(x::xid8, s::pg_snapshot) AS v FROM unnest($1::text[], $2::text[]) AS t (x, s)",
      [samples.map(([x]) => String(x)), samples.map(([, s]) => s)],
    );
    expect(samples.map(([x, s]) => isVisible(String(x), s))).toEqual(rows.map(({ v }) => v));
    expect(new Set(rows.map(({ v }) => v)).size).toBe(2);
  });

  it("is settled in a new database, and not in one that an earlier version has used", async () => {
    const store = await open();
    expect((await store.nodes.readRegistry()).isSettled).toBe(true);
    await addSession(store, "s", await addUser(store, "alice"));
    await admin.query(`DROP TABLE ${schema}.installation, ${schema}.nodes, ${schema}.signing_keys, ${schema}.services,
        ${schema}.legacy_tokens, ${schema}.login_tickets, ${schema}.node_reports;
      ALTER TABLE ${schema}.revocations DROP COLUMN until, DROP COLUMN except_key, DROP COLUMN confirm, DROP COLUMN reason;
      ALTER TABLE ${schema}.sessions DROP COLUMN access_until, DROP COLUMN least_epoch, DROP COLUMN change_hash,
        DROP COLUMN authenticated_at, DROP COLUMN amr, DROP COLUMN actor;
      ALTER TABLE ${schema}.users DROP COLUMN epoch_reason, DROP COLUMN imported, DROP COLUMN role;
      ALTER TABLE ${schema}.audit_log DROP COLUMN note;
      DROP INDEX ${schema}.sessions_by_creation, ${schema}.sessions_by_user, ${schema}.users_by_email, ${schema}.users_inactive,
        ${schema}.audit_log_of_actors, ${schema}.audit_log_of_alarms, ${schema}.audit_log_of_reuse;
      DELETE FROM ${schema}.tokenpair_migrations WHERE number >= 5`);
    await store.migrate();
    const { isSettled, incarnation } = await store.nodes.readRegistry();
    expect(isSettled).toBe(false);
    await store.nodes.settle(incarnation);
    expect((await store.nodes.readRegistry()).isSettled).toBe(true);
    // What the earlier version has written needs a day.
    await store.nodes.register(node("n"));
    const { revocations } = await store.sessions.revoke("s", "logout");
    expect((revocations[0]?.until ?? 0) - (revocations[0]?.at ?? 0)).toBe(86_400);
  });

  it("adopts a restored dump at a registration, so that no later read returns its entries again", async () => {
    const store = await open();
    for (const id of ["1", "2", "3"]) await store.feed.revokeToken(id);
    const restore = `UPDATE ${schema}.revocations SET xid = '9000000000'::xid8`;
    await admin.query(restore);
    const before = await store.feed.read(readAfter(null));
    expect((await store.feed.read(readAfter(before.cursor))).revocations).toHaveLength(3);
    await store.nodes.register(node("a"));
    const start = await store.feed.read(readAfter(null));
    expect(start.revocations).toHaveLength(3);
    for (const _ of [1, 2]) expect((await store.feed.read(readAfter(start.cursor))).revocations).toEqual([]);
    await store.feed.revokeToken("4");
    expect((await store.feed.read(readAfter(start.cursor))).revocations).toMatchObject([{ tokenId: "4" }]);
  });

  it("reads the feed while every connection of the pool is busy", async () => {
    const store = await open({ maxConnections: 1, maxWaiting: 1 });
    await addSession(store, "s", await addUser(store, "alice"));
    await admin.query(`BEGIN; UPDATE ${schema}.sessions SET label = 'held'`);
    const held = store.sessions.revoke("s", "logout");
    const waiting = store.users.findById("1");
    expect((await store.feed.read(readAfter(null))).revocations).toEqual([]);
    await admin.query("ROLLBACK");
    await Promise.all([held, waiting]);
    expect((await store.feed.read(readAfter(null))).revocations).toHaveLength(1);
  });

  it("writes a heartbeat that is durable, whatever the role's default is", async () => {
    const options = encodeURIComponent("-c synchronous_commit=off");
    const store = await open({ connectionString: `${server.url}?options=${options}` });
    await store.nodes.register(node("a"));
    await admin.query(`CREATE TABLE ${schema}.seen (setting text);
      CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN INSERT INTO ${schema}.seen VALUES (current_setting(''synchronous_commit'')); RETURN NEW; END';
      CREATE TRIGGER note BEFORE UPDATE ON ${schema}.nodes FOR EACH ROW EXECUTE FUNCTION ${schema}.note()`);
    await store.feed.read(readAfter(null, { nodeId: "a", beat: true }));
    await store.nodes.markLeaving("a");
    await store.nodes.acknowledge("a", { seen: "1:1:", clockAhead: 0 });
    await store.feed.read(readAfter(null, { nodeId: "a" }));
    const { rows } = await admin.query(`SELECT setting FROM ${schema}.seen`);
    expect(rows.map(({ setting }) => setting)).toEqual(["on", "on", "off"]);
    expect((await admin.query(`SELECT beat::int FROM ${schema}.nodes`)).rows).toEqual([{ beat: 1 }]);
  });
});
