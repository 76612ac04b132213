import type { RedeemTicketOutcome, TicketStore } from "../../core/store/tickets.ts";
import { type TicketRow, toTicket } from "../ticket-row.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import type { SessionInserter } from "./new-session.ts";

const insert = `WITH ${clock} INSERT INTO tokenpair.login_tickets
  (hash, user_id, user_epoch, username_key, methods, persistent, created_at, expires_at)
  SELECT :hash::bytea, :userId, :userEpoch::integer, :usernameKey, :methods, :persistent::boolean, now, now + :lifetime::bigint
  FROM clock`;

const find = `WITH ${clock} SELECT user_id AS "userId", user_epoch AS "userEpoch", username_key AS "usernameKey", methods,
  persistent, created_at AS "createdAt", expires_at AS "expiresAt", attempts, session_id AS "sessionId", now
  FROM tokenpair.login_tickets, clock WHERE hash = :hash`;

const isUsable = "hash = :hash AND used_at IS NULL AND expires_at > now";

const countAttempt = `WITH ${clock} UPDATE tokenpair.login_tickets SET attempts = attempts + 1
  FROM clock WHERE ${isUsable} AND attempts < :maxAttempts::integer RETURNING hash`;

const undoAttempt = `WITH ${clock} UPDATE tokenpair.login_tickets SET attempts = attempts - 1
  FROM clock WHERE hash = :hash AND attempts > 0 RETURNING hash`;

// Waits for a transaction that uses the same ticket, and then finds it used.
const use = `WITH ${clock} UPDATE tokenpair.login_tickets SET used_at = now, session_id = :sessionId
  FROM clock WHERE ${isUsable} AND user_id = :userId AND user_epoch = :userEpoch::integer RETURNING hash`;

/** Creates the store of the table `login_tickets`. */
export function createTicketStore(connection: PostgresConnection, inserter: SessionInserter): TicketStore {
  return {
    async create({ methods, ...ticket }) {
      await connection.run("tickets.create", insert, { ...ticket, methods: JSON.stringify(methods) });
    },

    async find(hash) {
      const [row] = await connection.run<TicketRow & { readonly now: number }>("tickets.find", find, { hash });
      if (row === undefined) return null;
      const { now, ...ticket } = row;
      return { ticket: toTicket(ticket), now };
    },

    countAttempt: async (hash, maxAttempts) =>
      (await connection.run("tickets.countAttempt", countAttempt, { hash, maxAttempts })).length === 1,

    async undoAttempt(hash) {
      await connection.run("tickets.undoAttempt", undoAttempt, { hash });
    },

    redeem: (session, hash, audit) =>
      connection.transact("tickets.redeem", async (transaction): Promise<RedeemTicketOutcome> => {
        const { refusal: reason, user } = await inserter.lockUser(transaction, session);
        if (reason !== null) return { outcome: "refused", reason };
        const { id: sessionId, userId, userEpoch } = session;
        const used = await transaction.run(use, { hash, sessionId, userId, userEpoch });
        if (used.length === 0) return { outcome: "used" };
        return recordChange(transaction.run, audit, await inserter.insert(transaction, session, user));
      }),
  };
}
