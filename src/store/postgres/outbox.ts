import type { Delivery, OutboxStore } from "../../core/store/outbox.ts";
import { withCurrentMessageType } from "../former-names.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";

// Nodes that claim at once skip each other's messages.
const claim = `WITH ${clock}, due AS MATERIALIZED (
    SELECT id AS due_id FROM tokenpair.webhook_outbox, clock WHERE next_at <= now
    ORDER BY next_at LIMIT :limit FOR UPDATE OF webhook_outbox SKIP LOCKED)
  UPDATE tokenpair.webhook_outbox SET attempts = attempts + 1, next_at = now + :lease::bigint
  FROM clock, due WHERE id = due_id RETURNING id, body, at, attempts, now`;

const remove = "DELETE FROM tokenpair.webhook_outbox WHERE id = :id AND attempts = :attempts::integer RETURNING id";

const postpone = `WITH ${clock} UPDATE tokenpair.webhook_outbox SET next_at = now + :seconds::bigint
  FROM clock WHERE id = :id AND attempts = :attempts::integer RETURNING id`;

/** Creates the store of the table `webhook_outbox`. */
export function createOutboxStore(connection: PostgresConnection): OutboxStore {
  return {
    async claim(options) {
      const deliveries = await connection.run<Delivery>("outbox.claim", claim, { ...options });
      return deliveries.map((delivery) => ({ ...delivery, body: withCurrentMessageType(delivery.body) }));
    },

    async remove({ id, attempts }) {
      return (await connection.run("outbox.remove", remove, { id, attempts })).length === 1;
    },

    async postpone({ id, attempts }, seconds) {
      return (await connection.run("outbox.postpone", postpone, { id, attempts, seconds })).length === 1;
    },
  };
}
