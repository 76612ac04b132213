import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FeedCursor, Revocation } from "../../../src/core/revocation.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { type PostgresStoreOptions, postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { readAfter } from "../contract/records.ts";
import { eventually, provideServer } from "./server.ts";

// A transaction of autovacuum would hold back the horizon that the tests read.
const server = provideServer({ autovacuum: "off" });
let schema: string;
let schemas = 0;
let store: Store;
const clients: pg.Client[] = [];
const pools: pg.Pool[] = [];

beforeEach(async () => {
  schemas += 1;
  schema = `feed_${schemas}`;
  store = postgresStore({ connectionString: server.url, schema, ...longTimeouts });
  await store.migrate();
});
afterEach(async () => {
  await store.close();
  await Promise.all([...clients.splice(0), ...pools.splice(0)].map((each) => each.end()));
});

/** Opens a connection of its own, as another node has one. */
async function connect(): Promise<pg.Client> {
  const client = new pg.Client(server.url);
  client.on("error", () => {});
  clients.push(client);
  await client.connect();
  return client;
}

function createPool(): pg.Pool {
  const pool = new pg.Pool({ connectionString: server.url });
  pools.push(pool);
  return pool;
}

const toInsert = (tokenIds: string) =>
  `INSERT INTO ${schema}.revocations (kind, key, at) SELECT 'token', ${tokenIds}, extract(epoch FROM now())`;

const toTokenIds = (revocations: readonly Revocation[]) =>
  revocations.map((revocation) => (revocation.kind === "token" ? revocation.tokenId : revocation.kind));

/** Reads the entries after a cursor until there are no more. */
async function readToEnd(after: FeedCursor | null) {
  const tokenIds: string[] = [];
  let batches = 0;
  for (let cursor = after; ; ) {
    const batch = await store.feed.read(readAfter(cursor));
    tokenIds.push(...toTokenIds(batch.revocations));
    cursor = batch.cursor;
    batches += 1;
    if (!batch.more) return { tokenIds, cursor, batches };
  }
}

describe("the feed of a PostgreSQL store", () => {
  it("returns an entry that was written first and committed last exactly once", async () => {
    const late = await connect();
    await late.query("BEGIN");
    await late.query(toInsert("'late'"));
    await store.feed.revokeToken("early");
    const first = await readToEnd(null);
    expect(first.tokenIds).toEqual(["early"]);
    const second = await readToEnd(first.cursor);
    expect(second.tokenIds).toEqual([]);
    await late.query("COMMIT");
    const third = await readToEnd(second.cursor);
    expect(third.tokenIds).toEqual(["late"]);
    expect((await readToEnd(third.cursor)).tokenIds).toEqual([]);
  });

  it("has no entry that is yet to be committed below its horizon", async () => {
    const late = await connect();
    await late.query("BEGIN");
    await late.query(toInsert("'late'"));
    await store.feed.revokeToken("early");
    const first = await store.feed.read(readAfter(null));
    expect(first.positions[0]).toBeGreaterThanOrEqual(first.place.horizon);
    await late.query("COMMIT");
    const { positions, place } = await store.feed.read(readAfter(first.cursor));
    expect(positions[0]).toBeGreaterThanOrEqual(first.place.horizon);
    expect(positions[0]).toBeLessThan(first.positions[0] as bigint);
    expect(place.horizon).toBeGreaterThan(first.positions[0] as bigint);
  });

  it("keeps the horizon of its first batch in a read of several", async () => {
    await (await connect()).query(toInsert("generate_series(1, 10001)::text"));
    const first = await store.feed.read(readAfter(null));
    expect(first.more).toBe(true);
    await store.feed.revokeToken("meanwhile");
    const second = await store.feed.read(readAfter(first.cursor));
    expect(second.place).toEqual(first.place);
    const { positions } = await store.feed.read(readAfter(second.cursor));
    expect(positions).toHaveLength(1);
    expect(positions[0]).toBeGreaterThanOrEqual(first.place.horizon);
  });

  it("returns every entry of forty concurrent writers exactly once to each of three readers", async () => {
    const writers = await Promise.all(Array.from({ length: 40 }, connect));
    const perWriter = 20;
    let isWriting = true;
    const write = async (writer: pg.Client, n: number) => {
      for (let i = 0; i < perWriter; i++) {
        await writer.query("BEGIN");
        await writer.query(toInsert(`'${n}-${i}'`));
        await writer.query("SELECT pg_sleep($1)", [Math.random() * 0.02]);
        await writer.query("COMMIT");
      }
    };
    const read = async () => {
      const seen: string[] = [];
      let cursor: FeedCursor | null = null;
      let wasWriting: boolean;
      do {
        wasWriting = isWriting;
        const batch = await readToEnd(cursor);
        seen.push(...batch.tokenIds);
        cursor = batch.cursor;
      } while (wasWriting);
      return seen;
    };
    const readers = [read(), read(), read()];
    await Promise.all(writers.map(write));
    isWriting = false;
    const expected = writers.flatMap((_, n) => Array.from({ length: perWriter }, (_, i) => `${n}-${i}`)).sort();
    for (const seen of await Promise.all(readers)) expect(seen.sort()).toEqual(expected);
  });

  it("returns at most 10,000 entries per read, and later those that were committed between two reads", async () => {
    const late = await connect();
    await late.query("BEGIN");
    await late.query(toInsert("'late'"));
    const start = await readToEnd(null);
    await (await connect()).query(toInsert("generate_series(1, 20001)::text"));
    for (const after of [null, start.cursor]) {
      const batch = await store.feed.read(readAfter(after));
      expect([batch.revocations.length, batch.more]).toEqual([10_000, true]);
      if (after === null) await late.query("COMMIT");
      const rest = await readToEnd(batch.cursor);
      expect(rest.batches).toBe(2);
      const all = new Set([
        ...toTokenIds(batch.revocations),
        ...rest.tokenIds,
        ...(await readToEnd(rest.cursor)).tokenIds,
      ]);
      expect(all.size).toBe(20_002);
    }
  });

  it("passes over no entry in a read that finds nothing new, even if the table was never analyzed", async () => {
    const admin = await connect();
    await admin.query(`ALTER TABLE ${schema}.revocations SET (autovacuum_enabled = off)`);
    await admin.query(`INSERT INTO ${schema}.revocations (kind, key, at, until)
      SELECT 'session', n::text, n, n FROM generate_series(1, 50000) AS n`);
    let { cursor, revocations } = await store.feed.read(readAfter(null, { since: 49_991 }));
    expect(revocations).toHaveLength(10);
    // Often enough for a generic plan.
    for (let n = 0; n < 10; n++) ({ cursor, revocations } = await store.feed.read(readAfter(cursor)));
    expect(revocations).toEqual([]);
    await store.close();
    const { rows } = await admin.query(
      `SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes AS i WHERE i.relid = t.relid)::int + seq_tup_read::int AS passed
      FROM pg_stat_user_tables AS t WHERE relid = $1::regclass`,
      [`${schema}.revocations`],
    );
    // The first read may scan so small a table.
    expect(rows[0].passed).toBeLessThan(50_100);
    store = postgresStore({ connectionString: server.url, schema, ...longTimeouts });
  });

  it("is read from the beginning after an older copy of the database was restored", async () => {
    await store.feed.revokeToken("1");
    const copy = mkdtempSync(join(tmpdir(), "tokenpair-copy-"));
    // PostgreSQL also checks owners and modes.
    await server.restart({ whileDown: async (folder) => void execFileSync("cp", ["-a", `${folder}/.`, copy]) });
    await store.feed.revokeToken("lost");
    const { cursor } = await readToEnd(null);
    await server.restart({
      whileDown: async (folder) => {
        rmSync(folder, { recursive: true });
        renameSync(copy, folder);
      },
    });
    await store.feed.revokeToken("2");
    await store.feed.revokeToken("3");
    expect(await store.feed.read(readAfter(cursor))).toMatchObject({ isCursorLost: true, revocations: [] });
    expect((await readToEnd(null)).tokenIds).toEqual(["1", "2", "3"]);
  });
});

describe("a subscriber of the feed", () => {
  /**
   * Subscribes to a feed. `nextWake` fulfils when the subscriber is woken; `states` collects what it learns about
   * LISTEN.
   */
  function subscribe(target: Store) {
    let onWake = () => {};
    const states: (string | true)[] = [];
    const stop = target.feed.subscribe(
      () => onWake(),
      (isListening, reason) => states.push(isListening || (reason ?? "")),
    );
    const nextWake = () =>
      new Promise<void>((resolve) => {
        onWake = resolve;
      });
    return { stop, nextWake, states };
  }

  const listeners = "SELECT pid FROM pg_stat_activity WHERE query = $1";

  const sources: [string, () => PostgresStoreOptions][] = [
    ["a connection string", () => ({ connectionString: server.url, schema, ...longTimeouts })],
    [
      "a pool",
      () => ({ pool: createPool(), createListenClient: () => new pg.Client(server.url), schema, ...longTimeouts }),
    ],
  ];
  it.each(sources)(
    "of a store with %s is woken by another node, and again after its connection was killed",
    async (_, toOptions) => {
      const other = postgresStore(toOptions());
      const subscription = subscribe(other);
      await subscription.nextWake();
      const start = await other.feed.read(readAfter(null));

      const woken = subscription.nextWake();
      await store.feed.revokeToken("1");
      await woken;

      const admin = await connect();
      const listen = `LISTEN "${schema}_revocations"`;
      const { rows } = await admin.query(listeners, [listen]);
      expect(rows).toHaveLength(1);
      const back = subscription.nextWake();
      await admin.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
      await store.feed.revokeToken("2");
      const batch = await other.feed.read(readAfter(start.cursor));
      expect(toTokenIds(batch.revocations)).toEqual(["1", "2"]);

      await back;
      const wokenAgain = subscription.nextWake();
      await store.feed.revokeToken("3");
      await wokenAgain;
      expect(subscription.states).toEqual([true, expect.stringMatching(/./), true]);
      subscription.stop();
      await other.close();
      await expect.poll(async () => (await admin.query(listeners, [listen])).rows, eventually).toEqual([]);
    },
  );

  it("fails as unavailable if the connection for reading can't be created", async () => {
    const createListenClient = () => {
      throw Object.assign(new Error("no such file: /etc/ssl/ca.pem"), { code: "ENOENT" });
    };
    const own = postgresStore({ pool: createPool(), createListenClient, schema, ...longTimeouts });
    const error: unknown = await own.feed.read(readAfter(null)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "StoreUnavailableError", message: "feed.read: ENOENT" });
    await own.close();
  });

  it("is woken by its own node if the store has no connection for LISTEN", async () => {
    const own = postgresStore({ pool: createPool(), schema, ...longTimeouts });
    const subscription = subscribe(own);
    const woken = subscription.nextWake();
    await own.feed.revokeToken("1");
    await woken;
    subscription.stop();
    await own.close();
  });
});
