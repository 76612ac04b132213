import { randomUUID } from "node:crypto";
import type { WriteProbe } from "../../core/store/index.ts";
import type { PostgresConnection } from "./connection/connection.ts";

// 32 KiB that can't be compressed, so that the table must grow.
const insert = `INSERT INTO tokenpair.webhook_outbox (id, at, body, next_at)
  SELECT :id, 0, string_agg(md5(random()::text), ''), 0 FROM generate_series(1, 1024)`;

const remove = "DELETE FROM tokenpair.webhook_outbox WHERE id = :id";

/** Creates the test write of a PostgreSQL database. No other transaction ever sees its row. */
export function createWriteProbe(connection: PostgresConnection): WriteProbe {
  return {
    isShared: true,
    onFailure: connection.onFailure,
    async probe() {
      const id = `probe:${randomUUID()}`;
      await connection.transact("writes.probe", async ({ run }) => {
        await run(insert, { id });
        await run(remove, { id });
      });
    },
  };
}
