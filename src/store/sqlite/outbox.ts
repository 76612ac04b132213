import type { Delivery, OutboxStore } from "../../core/store/outbox.ts";
import { withCurrentMessageType } from "../former-names.ts";
import type { SqliteConnection } from "./connection/connection.ts";

const findDue = "SELECT 1 FROM webhook_outbox WHERE next_at <= :now LIMIT 1";

const claim = `UPDATE webhook_outbox SET attempts = attempts + 1, next_at = :now + :lease
  WHERE id IN (SELECT id FROM webhook_outbox WHERE next_at <= :now ORDER BY next_at LIMIT :limit)
  RETURNING id, body, at, attempts, :now AS now`;

const remove = "DELETE FROM webhook_outbox WHERE id = :id AND attempts = :attempts";

const postpone = "UPDATE webhook_outbox SET next_at = :now + :seconds WHERE id = :id AND attempts = :attempts";

/** Creates the store of the table `webhook_outbox`. */
export function createOutboxStore(connection: SqliteConnection): OutboxStore {
  return {
    async claim(options) {
      // Usually no message is due, and a read takes no lock.
      const isDue = await connection.read("outbox.claim", (now) => connection.prepare(findDue).get({ now }));
      if (isDue === undefined) return [];
      return connection.write("outbox.claim", (now) => {
        const deliveries = connection.all<Delivery>(claim, { ...options, now });
        return deliveries.map((delivery) => ({ ...delivery, body: withCurrentMessageType(delivery.body) }));
      });
    },

    async remove({ id, attempts }) {
      return connection.write("outbox.remove", () => connection.prepare(remove).run({ id, attempts }).changes === 1);
    },

    async postpone({ id, attempts }, seconds) {
      return connection.write("outbox.postpone", (now) => {
        return connection.prepare(postpone).run({ id, attempts, seconds, now }).changes === 1;
      });
    },
  };
}
