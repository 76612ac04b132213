import type pg from "pg";
import { beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { migrations } from "../../../src/store/postgres/schema/migrations.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import {
  addSession,
  addUser,
  isLive,
  keeping,
  newSession,
  readAfter,
  rotationOf,
  toHash,
} from "../contract/records.ts";
import { countLockWaits, countStoreConnections, eventually, provideServer, withClient } from "./server.ts";

const server = provideServer({ deadlock_timeout: "2s" });
let schema: string;
let schemas = 0;

beforeEach(() => {
  schemas += 1;
  schema = `races_${schemas}`;
});

async function withStore(work: (store: Store) => Promise<void>, connectionString = server.url): Promise<void> {
  const store = postgresStore({ connectionString, schema, maxConnections: 16, ...longTimeouts });
  await store.migrate();
  await work(store).finally(() => store.close());
}

/**
 * Returns how many deadlocks there were. Waits until stores are disconnected, because counts are complete only then.
 */
function countDeadlocks(): Promise<number> {
  return withClient(server.url, async (client) => {
    await expect.poll(() => countStoreConnections(client), eventually).toBe(0);
    const { rows } = await client.query(
      "SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()",
    );
    return rows[0].deadlocks;
  });
}

/** Waits until this many connections wait for a lock. */
const untilLockWaits = (client: pg.Client, count: number) =>
  expect.poll(() => countLockWaits(client), eventually).toBe(count);

describe("concurrent nodes on one PostgreSQL", () => {
  it("apply each migration once if they migrate at once", async () => {
    const stores = Array.from({ length: 10 }, () =>
      postgresStore({ connectionString: server.url, schema, ...longTimeouts }),
    );
    const applied = await Promise.all(stores.map((store) => store.migrate()));
    expect(applied.flat().sort()).toEqual(migrations.map(({ name }) => name));
    await Promise.all(stores.map((store) => store.checkSchema()));
    await Promise.all(stores.map((store) => store.close()));
  });

  it.each(["read committed", "serializable"])(
    "rotate each generation of a session exactly once, if the default isolation is %s",
    async (isolation) => {
      const options = encodeURIComponent(`-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`);
      await withStore(async (store) => {
        await addSession(store, "s", await addUser(store, "alice"));
        let presentedHash = toHash(0);
        for (let generation = 0; generation < 20; generation++) {
          const attempt = (_: unknown, i: number) =>
            store.sessions.rotate(rotationOf("s", generation, { presentedHash, nextHash: toHash(100 + i) }));
          const results = await Promise.all(Array.from({ length: 16 }, attempt));
          const winners = results.filter((result) => result !== null);
          expect(winners).toHaveLength(1);
          presentedHash = winners[0]?.session.currentHash ?? toHash(0);
        }
        expect((await store.sessions.find("s"))?.session).toMatchObject({ generation: 20 });
      }, `${server.url}?options=${options}`);
    },
  );

  it("leave no session of a login that races a disable, in 200 rounds", async () => {
    await withStore(async (store) => {
      let created = 0;
      for (let round = 0; round < 200; round++) {
        const user = await addUser(store, `user ${round}`);
        const logIn = (device: string) => store.sessions.create(newSession(`${round} ${device}`, user));
        const [first, , second] = await Promise.all([logIn("a"), store.users.disable(user), logIn("b")]);
        created += [first, second].filter(({ outcome }) => outcome === "created").length;
      }
      expect((await store.sessions.list({ limit: 1_000 })).sessions).toEqual([]);
      console.log(`login against disable: ${created} of 400 logins came first, and none has a live session`);
      expect(created).toBeGreaterThan(0);
    });
  });

  it("leave no session of a login that was running when everything was revoked", async () => {
    await withStore(async (store) => {
      const user = await addUser(store, "alice");
      await withClient(server.url, async (client) => {
        // Stops the login between its check of the user and its commit, until the client releases the lock.
        await client.query(`CREATE FUNCTION ${schema}.wait() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
          CREATE TRIGGER wait BEFORE INSERT ON ${schema}.sessions FOR EACH ROW EXECUTE FUNCTION ${schema}.wait()`);
        await client.query("SELECT pg_advisory_lock(1)");
        const login = store.sessions.create(newSession("s", user));
        await untilLockWaits(client, 1);
        const revocation = store.sessions.revokeAll("revoked");
        await untilLockWaits(client, 2);
        await client.query("SELECT pg_advisory_unlock(1)");
        expect(await login).toMatchObject({ outcome: "created" });
        expect(await revocation).toMatchObject({ sessions: 1 });
      });
      expect(await isLive(store, "s")).toBe(false);
    });
  });

  it("let one of several concurrent password changes succeed and revoke the other sessions, in 20 rounds", async () => {
    await withStore(async (store) => {
      for (let round = 0; round < 20; round++) {
        const user = await addUser(store, `user ${round}`);
        const ids = [1, 2, 3, 4].map((device) => `${round} ${device}`);
        for (const id of ids) await addSession(store, id, user);
        const changes = ids.map((id) => store.users.changePassword(user, `hash of ${id}`, keeping(id)));
        const winners = (await Promise.all(changes)).filter((change) => change !== null);
        expect(winners).toMatchObject([{ sessions: 3, session: { userEpoch: 1, generation: 1 } }]);
        const { sessions } = await store.sessions.list({ userId: user, limit: 10 });
        expect(sessions).toStrictEqual([winners[0]?.session]);
        expect(await store.users.findById(user)).toMatchObject({
          epoch: 1,
          passwordHash: `hash of ${sessions[0]?.id}`,
        });
      }
    });
  });

  it("let many devices of one user log in at once without a deadlock, even if logins update the user", async () => {
    const before = await countDeadlocks();
    await withStore(async (store) => {
      const user = await addUser(store, "alice");
      const logins = Array.from({ length: 60 }, (_, i) =>
        store.sessions.create(newSession(`s${i}`, user, { updateLastLogin: i % 2 === 0 })),
      );
      const outcomes = (await Promise.all(logins)).map(({ outcome }) => outcome);
      expect(new Set(outcomes)).toEqual(new Set(["created"]));
    });
    expect(await countDeadlocks()).toBe(before);
  });

  it("clear failed logins only while no attempt is being counted", async () => {
    await withStore(async (store) => {
      const count = () => ({ result: null, changes: new Map([["k", { failures: 9, lastAt: 1, expiresAt: null }]]) });
      await store.throttle.decide(["k"], count);
      await withClient(server.url, async (attempt) => {
        const lock = `pg_advisory_lock(hashtextextended('"${schema}".login_failures k', 0))`;
        await attempt.query(`SELECT ${lock}`);
        const cleared = store.throttle.clear("k");
        await untilLockWaits(attempt, 1);
        await attempt.query(`SELECT ${lock.replace("lock", "unlock")}`);
        expect(await cleared).toMatchObject({ counts: 1 });
      });
    });
  });

  it("repeat a change that a deadlock has rolled back", async () => {
    const before = await countDeadlocks();
    await withStore(async (store) => {
      const user = await addUser(store, "alice");
      for (const id of ["a", "b", "kept"]) await addSession(store, id, user);
      await withClient(server.url, async (client) => {
        const hold = (id: string) => client.query(`UPDATE ${schema}.sessions SET label = 'held' WHERE id = $1`, [id]);
        // Makes the store's side find the deadlock, so that its transaction is rolled back. Each side looks only once.
        await client.query("SET deadlock_timeout = '60s'");
        await client.query("BEGIN");
        await hold("b");
        const change = store.users.changePassword(user, "hash-2", keeping("kept"));
        await untilLockWaits(client, 1);
        await hold("a");
        await client.query("COMMIT");
        expect(await change).toMatchObject({ sessions: 2 });
      });
      expect((await store.feed.read(readAfter(null))).revocations).toHaveLength(1);
    });
    expect(await countDeadlocks()).toBe(before + 1);
  });
});
