import type { WriteProbe } from "../../core/store/index.ts";
import type { SqliteConnection } from "./connection/connection.ts";

// A count of failed logins with a long key, which no login has. It has expired, so a cleanup deletes it after a crash.
const insert = `INSERT OR REPLACE INTO login_failures (key, failures, last_at, expires_at)
  VALUES ('probe:' || hex(zeroblob(16384)), 0, :now, :now)`;

// ";" follows ":" in ASCII.
const remove = "DELETE FROM login_failures WHERE key > 'probe:' AND key < 'probe;'";

/** Creates the test write of a SQLite database. It isn't shared, because the database is on this machine's disk. */
export function createWriteProbe(connection: SqliteConnection): WriteProbe {
  return {
    isShared: false,
    onFailure: connection.onFailure,
    async probe() {
      // Two transactions: SQLite doesn't write pages that one transaction both fills and frees.
      await connection.writeAlone("writes.probe", (now) => connection.prepare(insert).run({ now }));
      await connection.writeAlone("writes.probe", () => connection.prepare(remove).run());
    },
  };
}
