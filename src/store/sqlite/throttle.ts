import type { CountSnapshot, FailureCount, ThrottleStore } from "../../core/store/throttle.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { requireAllowed } from "./guard.ts";

const find = `SELECT failures, last_at AS lastAt, expires_at AS expiresAt FROM login_failures
  WHERE key = :key AND (expires_at IS NULL OR expires_at > :now)`;

const write = `INSERT OR REPLACE INTO login_failures (key, failures, last_at, expires_at)
  VALUES (:key, :failures, :lastAt, :expiresAt)`;

const clearOne = "DELETE FROM login_failures WHERE key = :key";

// "0" follows "/" in ASCII: the range holds every key that starts with this key and a slash.
const clearAll = "DELETE FROM login_failures WHERE key = :key OR (key > :key || '/' AND key < :key || '0')";

/** Creates the store of the table `login_failures`. */
export function createThrottleStore(connection: SqliteConnection): ThrottleStore {
  function readCounts(keys: readonly string[], now: number): CountSnapshot {
    const counts = new Map<string, FailureCount>();
    for (const key of keys) {
      const row = connection.get<FailureCount>(find, { key, now });
      if (row !== undefined) counts.set(key, row);
    }
    return { counts, now };
  }

  function writeCount(key: string, count: FailureCount | null): void {
    if (count === null) connection.prepare(clearOne).run({ key });
    else connection.prepare(write).run({ key, ...count });
  }

  return {
    async decide(keys, decide, { peekFirst = false } = {}) {
      if (peekFirst) {
        const peeked = await connection.read("throttle.decide", (now) => decide(readCounts(keys, now)));
        if (peeked.changes.size === 0) return peeked.result;
      }
      return connection.write("throttle.decide", (now) => {
        const { result, changes } = decide(readCounts(keys, now));
        for (const [key, count] of changes) writeCount(key, count);
        return result;
      });
    },

    async clear(key, audit, guard) {
      return connection.write("throttle.clear", (now) => {
        requireAllowed(connection, guard);
        const { changes } = connection.prepare(clearAll).run({ key });
        return recordChange(connection, audit, { counts: Number(changes), time: now });
      });
    },
  };
}
