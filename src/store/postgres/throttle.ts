import type { ClearedCounts, CountSnapshot, FailureCount, ThrottleStore } from "../../core/store/throttle.ts";
import type { AuditLog } from "./audit.ts";
import type { Connection, Run } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";

// Keys have no spaces. A key under which nothing is counted has no row to lock, hence these locks; always in one order.
const lock = `SELECT pg_advisory_xact_lock(id) FROM (
  SELECT DISTINCT hashtextextended('tokenpair.login_failures ' || key, 0) AS id
  FROM unnest(string_to_array(:keys, ' ')) AS key ORDER BY id) AS ids`;

const find = `WITH ${clock}
  SELECT now, key, failures, last_at AS "lastAt", expires_at AS "expiresAt"
  FROM clock LEFT JOIN tokenpair.login_failures
    ON key = ANY (string_to_array(:keys, ' ')) AND (expires_at IS NULL OR expires_at > now)`;

const write = `INSERT INTO tokenpair.login_failures (key, failures, last_at, expires_at)
  SELECT key, failures, last_at, expires_at
  FROM json_to_recordset(:counts::json) AS c (key text, failures integer, last_at bigint, expires_at bigint)
  ON CONFLICT (key) DO UPDATE
    SET failures = excluded.failures, last_at = excluded.last_at, expires_at = excluded.expires_at`;

const clearThese = "DELETE FROM tokenpair.login_failures WHERE key = ANY (string_to_array(:keys, ' '))";

// "0" comes right after "/": everything that begins with the key and a slash.
const clearAll = `WITH ${clock},
  forgotten AS (DELETE FROM tokenpair.login_failures
    WHERE key = :key OR (key > :key || '/' AND key < :key || '0') RETURNING key)
  SELECT now AS time, (SELECT count(*) FROM forgotten) AS counts FROM clock`;

type Row = FailureCount & { readonly now: number; readonly key: string | null };

/** The counts in the table `login_failures`. */
export function createThrottleStore(connection: Connection, log: AuditLog): ThrottleStore {
  return {
    async decide(keys, decide, { peekFirst = false } = {}) {
      if (peekFirst) {
        const seen = decide(await look((sql, parameters) => connection.run("throttle.decide", sql, parameters), keys));
        if (seen.changes.size === 0) return seen.result;
      }
      return connection.transact("throttle.decide", async ({ run }) => {
        await run(lock, { keys: keys.join(" ") });
        const { result, changes } = decide(await look(run, keys));
        await change(run, changes);
        return result;
      });
    },

    clear: (key, audit) =>
      connection.transact("throttle.clear", async ({ run }) => {
        // An attempt that has looked already would write back what is forgotten here. It holds this key, whatever else it counts.
        await run(lock, { keys: key });
        const [row] = await run<ClearedCounts>(clearAll, { key });
        return log.record(run, audit, row as ClearedCounts);
      }),
  };
}

async function look(run: Run, keys: readonly string[]): Promise<CountSnapshot> {
  const rows = await run<Row>(find, { keys: keys.join(" ") });
  const counts = new Map<string, FailureCount>();
  for (const { key, failures, lastAt, expiresAt } of rows) {
    if (key !== null) counts.set(key, { failures, lastAt, expiresAt });
  }
  return { counts, now: rows[0]?.now ?? 0 };
}

async function change(run: Run, changes: ReadonlyMap<string, FailureCount | null>): Promise<void> {
  const counts = [];
  const forgotten = [];
  for (const [key, count] of changes) {
    if (count === null) forgotten.push(key);
    else counts.push({ key, failures: count.failures, last_at: count.lastAt, expires_at: count.expiresAt });
  }
  if (counts.length > 0) await run(write, { counts: JSON.stringify(counts) });
  if (forgotten.length > 0) await run(clearThese, { keys: forgotten.join(" ") });
}
