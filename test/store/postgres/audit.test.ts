import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AuditCursor } from "../../../src/core/store/audit.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { toAuditRow } from "../../../src/events/audit-row.ts";
import type { AuthEvent } from "../../../src/events/events.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { provideServer } from "./server.ts";

const server = provideServer();
let store: Store;
const clients: pg.Client[] = [];

beforeAll(async () => {
  store = postgresStore({ connectionString: server.url, ...longTimeouts });
  await store.migrate();
});
afterAll(() => store.close());
afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())));

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(server.url);
  clients.push(client);
  await client.connect();
  return client;
}

const insert = "INSERT INTO tokenpair.audit_log (at, type, reason, details) VALUES (1, 'login_failed', $1, '{}')";

/** Reads the entries after a cursor, in small pages, until there are no more. */
async function readToEnd(after: AuditCursor | null) {
  const reasons: (string | null)[] = [];
  let cursor = after;
  for (let more = true; more; ) {
    const page = await store.audit.read({ after: cursor, limit: 3, type: "login_failed" });
    reasons.push(...page.entries.map(({ reason }) => reason));
    ({ cursor, more } = page);
  }
  return { reasons, cursor };
}

describe("a reader of the audit log of a PostgreSQL store", () => {
  it("gets an entry that was written first and committed last exactly once", async () => {
    const late = await connect();
    await late.query("BEGIN");
    await late.query(insert, ["late"]);
    const early: AuthEvent = { type: "login_failed", time: 1, code: "no_active_account", reason: "early", client: {} };
    await store.audit.append([toAuditRow(early)]);
    const first = await readToEnd(null);
    expect(first.reasons).toEqual(["early"]);
    const second = await readToEnd(first.cursor);
    expect(second.reasons).toEqual([]);
    await late.query("COMMIT");
    const third = await readToEnd(second.cursor);
    expect(third.reasons).toEqual(["late"]);
    expect((await readToEnd(third.cursor)).reasons).toEqual([]);
  });

  it("gets every entry of twenty concurrent writers exactly once", async () => {
    const { cursor: start } = await readToEnd(null);
    const writers = await Promise.all(Array.from({ length: 20 }, connect));
    let isWriting = true;
    const follow = async () => {
      const seen: (string | null)[] = [];
      let cursor: AuditCursor | null = start;
      for (let wasWriting = true; wasWriting; ) {
        wasWriting = isWriting;
        const read = await readToEnd(cursor);
        seen.push(...read.reasons);
        ({ cursor } = read);
      }
      return seen.sort();
    };
    const followers = [follow(), follow()];
    const expected: string[] = [];
    await Promise.all(
      writers.map(async (writer, n) => {
        for (let i = 0; i < 10; i += 1) {
          expected.push(`${n}-${i}`);
          await writer.query("BEGIN");
          await writer.query(insert, [`${n}-${i}`]);
          await writer.query("SELECT pg_sleep($1)", [Math.random() * 0.02]);
          await writer.query("COMMIT");
        }
      }),
    );
    isWriting = false;
    expect(await Promise.all(followers)).toEqual([expected.sort(), expected.sort()]);
  });
});
