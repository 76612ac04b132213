import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { addSession, addUser, readAfter, rotationOf } from "../contract/records.ts";
import { provideServer } from "./server.ts";

const server = provideServer();
let admin: pg.Client;
let store: Store;
let now = 1_000;

beforeAll(async () => {
  admin = new pg.Client(server.url);
  await admin.connect();
  store = postgresStore({ connectionString: server.url, now: () => now, ...longTimeouts });
  await store.migrate();
  // As docs/scaling.md tells administrators.
  await admin.query(`SET search_path = tokenpair;
    ALTER TABLE sessions RENAME TO sessions_before;
    CREATE TABLE sessions (LIKE sessions_before INCLUDING ALL) PARTITION BY HASH (id);`);
  for (const part of [0, 1, 2, 3]) {
    await admin.query(`CREATE TABLE sessions_${part} PARTITION OF sessions
      FOR VALUES WITH (MODULUS 4, REMAINDER ${part}) WITH (fillfactor = 80)`);
  }
  await admin.query("INSERT INTO sessions SELECT * FROM sessions_before; DROP TABLE sessions_before");
});
afterAll(async () => {
  await store.close();
  await admin.end();
});

it("the PostgreSQL store finds each session in one partition if the table is partitioned by id", async () => {
  const alice = await addUser(store, "alice");
  const ids = Array.from({ length: 40 }, (_, i) => `session-${i}`);
  for (const id of ids) await addSession(store, id, alice);
  const { rows: parts } = await admin.query("SELECT DISTINCT tableoid::regclass::text AS part FROM sessions");
  expect(parts).toHaveLength(4);
  const { rows: plan } = await admin.query("EXPLAIN UPDATE sessions SET label = 'x' WHERE id = 'session-7'");
  const scanned = plan.map((row) => row["QUERY PLAN"]).filter((line) => line.includes("Scan"));
  expect(scanned).toHaveLength(1);

  const racing = ids.flatMap((id) => [1, 2, 3].map(() => store.sessions.rotate(rotationOf(id, 0))));
  expect((await Promise.all(racing)).filter((rotated) => rotated !== null)).toHaveLength(ids.length);
  const decided = await store.sessions.decide("session-0", (locked) => ({
    result: locked?.session.generation,
    revoke: "reuse",
  }));
  expect(decided).toMatchObject({ result: 1, revocations: [{ sessionId: "session-0" }] });
  expect(await store.sessions.revoke("session-1", "logout")).toMatchObject({ sessions: 1 });
  expect((await store.sessions.list({ userId: alice, limit: 100 })).sessions).toHaveLength(38);
  expect(await store.users.disable(alice)).toMatchObject({ sessions: 38 });
  expect((await store.feed.read(readAfter(null))).revocations).toHaveLength(3);
  now += 1_000;
  expect(await store.deleteExpired({ limit: 25, horizon: 60 })).toMatchObject({ sessions: 25 });
  expect(await store.deleteExpired({ limit: 25, horizon: 60 })).toMatchObject({ sessions: 15 });
});
