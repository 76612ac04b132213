import type { ClearedCounts, CountSnapshot, FailureCount, ThrottleStore } from "../../core/store/throttle.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection, Run } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { requireAllowed } from "./guard.ts";

// A key without a count has no row to lock, so these advisory locks represent the keys. Taken in one order, so that two
// calls never wait for each other. Keys have no spaces.
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

// "0" follows "/" in ASCII: the range holds every key that starts with this key and a slash.
const clearAll = `WITH ${clock},
  cleared AS (DELETE FROM tokenpair.login_failures
    WHERE key = :key OR (key > :key || '/' AND key < :key || '0') RETURNING key)
  SELECT now AS time, (SELECT count(*) FROM cleared) AS counts FROM clock`;

type Row = FailureCount & { readonly now: number; readonly key: string | null };

/** Creates the store of the table `login_failures`. */
export function createThrottleStore(connection: PostgresConnection): ThrottleStore {
  return {
    async decide(keys, decide, { peekFirst = false } = {}) {
      if (peekFirst) {
        const peeked = decide(
          await readCounts((sql, parameters) => connection.run("throttle.decide", sql, parameters), keys),
        );
        if (peeked.changes.size === 0) return peeked.result;
      }
      return connection.transact("throttle.decide", async ({ run }) => {
        await run(lock, { keys: keys.join(" ") });
        const { result, changes } = decide(await readCounts(run, keys));
        await writeCounts(run, changes);
        return result;
      });
    },

    clear: (key, audit, guard) =>
      connection.transact("throttle.clear", async ({ run }) => {
        await requireAllowed(run, guard);
        // Waits for attempts that have read their counts already, which would otherwise write back what this deletes.
        // Each of them holds the lock of this key, whatever else it counts.
        await run(lock, { keys: key });
        const [row] = await run<ClearedCounts>(clearAll, { key });
        return recordChange(run, audit, row as ClearedCounts);
      }),
  };
}

async function readCounts(run: Run, keys: readonly string[]): Promise<CountSnapshot> {
  const rows = await run<Row>(find, { keys: keys.join(" ") });
  const counts = new Map<string, FailureCount>();
  for (const { key, failures, lastAt, expiresAt } of rows) {
    if (key !== null) counts.set(key, { failures, lastAt, expiresAt });
  }
  return { counts, now: rows[0]?.now ?? 0 };
}

async function writeCounts(run: Run, changes: ReadonlyMap<string, FailureCount | null>): Promise<void> {
  const counts = [];
  const cleared = [];
  for (const [key, count] of changes) {
    if (count === null) cleared.push(key);
    else counts.push({ key, failures: count.failures, last_at: count.lastAt, expires_at: count.expiresAt });
  }
  if (counts.length > 0) await run(write, { counts: JSON.stringify(counts) });
  if (cleared.length > 0) await run(clearThese, { keys: cleared.join(" ") });
}
