import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store/index.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { migrations } from "../../../src/store/postgres/schema/migrations.ts";
import { type PostgresServer, startPostgres } from "../../support/postgres.ts";
import { addSession, addUser, isLive, newSession, rotationOf, toHash } from "../contract/records.ts";

let server: PostgresServer;
let schema: string;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgres({ deadlock_timeout: "500ms" });
});
afterAll(() => server.stop());
beforeEach(() => {
  schemas += 1;
  schema = `races_${schemas}`;
});

async function withStore(work: (store: Store) => Promise<void>, connectionString = server.url): Promise<void> {
  const store = postgresStore({ connectionString, schema, maxConnections: 16 });
  await store.migrate();
  await work(store).finally(() => store.close());
}

/** Runs `work` with a connection of its own, as another program would have it. */
async function withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(server.url);
  await client.connect();
  return work(client).finally(() => client.end());
}

/** Counts what connections have reported that are closed by now. */
async function countDeadlocks(): Promise<number> {
  const { rows } = await withClient((client) =>
    client.query("SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()"),
  );
  return rows[0].deadlocks;
}

describe("many nodes on one PostgreSQL", () => {
  it("that migrate at once apply each step once", async () => {
    const stores = Array.from({ length: 10 }, () => postgresStore({ connectionString: server.url, schema }));
    const applied = await Promise.all(stores.map((store) => store.migrate()));
    expect(applied.flat().sort()).toEqual(migrations.map(({ name }) => name));
    await Promise.all(stores.map((store) => store.checkSchema()));
    await Promise.all(stores.map((store) => store.close()));
  });

  it.each(["read committed", "serializable"])(
    "that rotate one session have exactly one winner for each generation, by default %s",
    async (isolation) => {
      const options = encodeURIComponent(`-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`);
      await withStore(async (store) => {
        await addSession(store, "s", await addUser(store, "alice"));
        let presentedHash = toHash(0);
        for (let generation = 0; generation < 20; generation++) {
          const attempt = (_: unknown, i: number) =>
            store.sessions.rotate(rotationOf("s", generation, { presentedHash, nextHash: toHash(100 + i) }));
          const answers = await Promise.all(Array.from({ length: 16 }, attempt));
          const winners = answers.filter((answer) => answer !== null);
          expect(winners).toHaveLength(1);
          presentedHash = winners[0]?.session.currentHash ?? toHash(0);
        }
        expect((await store.sessions.find("s"))?.session).toMatchObject({ generation: 20 });
      }, `${server.url}?options=${options}`);
    },
  );

  it("let no login survive the disable that it races, in 200 rounds", async () => {
    await withStore(async (store) => {
      let created = 0;
      for (let round = 0; round < 200; round++) {
        const user = await addUser(store, `user ${round}`);
        const logIn = (device: string) => store.sessions.create(newSession(`${round} ${device}`, user));
        const [first, , second] = await Promise.all([logIn("a"), store.users.disable(user), logIn("b")]);
        created += [first, second].filter(({ outcome }) => outcome === "created").length;
      }
      expect((await store.sessions.list({ limit: 1_000 })).sessions).toEqual([]);
      console.log(`login against disable: ${created} of 400 logins came first, none is alive`);
      expect(created).toBeGreaterThan(0);
    });
  });

  it("let no login survive a revocation of everything that it began before", async () => {
    await withStore(async (store) => {
      const user = await addUser(store, "alice");
      // Holds the login up between its look at the user and its session.
      await withClient((client) =>
        client.query(`CREATE FUNCTION ${schema}.delay() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END';
          CREATE TRIGGER delay BEFORE INSERT ON ${schema}.sessions FOR EACH ROW EXECUTE FUNCTION ${schema}.delay()`),
      );
      const login = store.sessions.create(newSession("s", user));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await store.sessions.revokeAll("revoked")).toMatchObject({ sessions: 1 });
      expect(await login).toMatchObject({ outcome: "created" });
      expect(await isLive(store, "s")).toBe(false);
    });
  });

  it("let one of several password changes at once win, and end the sessions of the others, in 20 rounds", async () => {
    await withStore(async (store) => {
      for (let round = 0; round < 20; round++) {
        const user = await addUser(store, `user ${round}`);
        const ids = [1, 2, 3, 4].map((device) => `${round} ${device}`);
        for (const id of ids) await addSession(store, id, user);
        const keep = (sessionId: string) => ({ sessionId, userEpoch: 0, nextHash: toHash(50), idleLifetime: 100 });
        const changes = ids.map((id) => store.users.changePassword(user, `hash of ${id}`, keep(id)));
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

  it("let many devices of one user log in at once, without a deadlock, also where the login is noted", async () => {
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

  it("forget failed logins only when no attempt is being counted, which would bring them back", async () => {
    await withStore(async (store) => {
      const count = () => ({ result: null, changes: new Map([["k", { failures: 9, lastAt: 1, expiresAt: null }]]) });
      await store.throttle.decide(["k"], count);
      await withClient(async (attempt) => {
        const lock = `pg_advisory_lock(hashtextextended('"${schema}".login_failures k', 0))`;
        await attempt.query(`SELECT ${lock}`);
        const forgotten = store.throttle.clear("k");
        const countWaiting =
          "SELECT count(*)::int AS waiting FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        await expect.poll(async () => (await attempt.query(countWaiting)).rows[0].waiting).toBe(1);
        await attempt.query(`SELECT ${lock.replace("lock", "unlock")}`);
        expect(await forgotten).toMatchObject({ counts: 1 });
      });
    });
  });

  it("run a change again that a deadlock has undone", async () => {
    const before = await countDeadlocks();
    await withStore(async (store) => {
      const user = await addUser(store, "alice");
      for (const id of ["a", "b", "kept"]) await addSession(store, id, user);
      await withClient(async (client) => {
        const hold = (id: string) => client.query(`UPDATE ${schema}.sessions SET label = 'held' WHERE id = $1`, [id]);
        // So that the store's side is the one that finds the deadlock and is undone.
        await client.query("SET deadlock_timeout = '10s'");
        await client.query("BEGIN");
        await hold("b");
        const change = store.sessions.revokeForUser(user, "revoked", { except: "kept" });
        await waitForLock(client);
        await hold("a");
        await client.query("COMMIT");
        expect(await change).toMatchObject({ sessions: 2 });
      });
      expect((await store.feed.read({ after: null, horizon: 60 })).revocations).toHaveLength(2);
    });
    expect(await countDeadlocks()).toBe(before + 1);
  });
});

async function waitForLock(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query("SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted");
    if (rows[0].waiting > 0) return;
  }
}
