import type { RedeemTicketOutcome, TicketStore } from "../../core/store/tickets.ts";
import { type TicketRow, toTicket } from "../ticket-row.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import type { SessionInserter } from "./new-session.ts";

const insert = `INSERT INTO login_tickets
  (hash, user_id, user_epoch, username_key, methods, persistent, created_at, expires_at)
  VALUES (:hash, :userId, :userEpoch, :usernameKey, :methods, :persistent, :now, :now + :lifetime)`;

const find = `SELECT user_id AS userId, user_epoch AS userEpoch, username_key AS usernameKey, methods, persistent,
  created_at AS createdAt, expires_at AS expiresAt, attempts, session_id AS sessionId
  FROM login_tickets WHERE hash = :hash`;

const isUsable = "hash = :hash AND used_at IS NULL AND expires_at > :now";

const countAttempt = `UPDATE login_tickets SET attempts = attempts + 1 WHERE ${isUsable} AND attempts < :maxAttempts`;

const undoAttempt = "UPDATE login_tickets SET attempts = attempts - 1 WHERE hash = :hash AND attempts > 0";

const use = `UPDATE login_tickets SET used_at = :now, session_id = :sessionId
  WHERE ${isUsable} AND user_id = :userId AND user_epoch = :userEpoch`;

/** Creates the store of the table `login_tickets`. */
export function createTicketStore(connection: SqliteConnection, inserter: SessionInserter): TicketStore {
  return {
    async create({ methods, persistent, ...ticket }) {
      const row = { ...ticket, methods: JSON.stringify(methods), persistent: persistent ? 1 : 0 };
      return connection.write("tickets.create", (now) => void connection.prepare(insert).run({ ...row, now }));
    },

    async find(hash) {
      return connection.read("tickets.find", (now) => {
        const row = connection.get<TicketRow>(find, { hash });
        return row === undefined ? null : { ticket: toTicket(row), now };
      });
    },

    async countAttempt(hash, maxAttempts) {
      return connection.write(
        "tickets.countAttempt",
        (now) => connection.prepare(countAttempt).run({ hash, maxAttempts, now }).changes === 1,
      );
    },

    async undoAttempt(hash) {
      return connection.write("tickets.undoAttempt", () => void connection.prepare(undoAttempt).run({ hash }));
    },

    async redeem(session, hash, audit) {
      return connection.write("tickets.redeem", (now): RedeemTicketOutcome => {
        const reason = inserter.findRefusal(session);
        if (reason !== null) return { outcome: "refused", reason };
        const { id: sessionId, userId, userEpoch } = session;
        const { changes } = connection.prepare(use).run({ hash, sessionId, userId, userEpoch, now });
        if (changes !== 1) return { outcome: "used" };
        return recordChange(connection, audit, inserter.insert(session, now));
      });
    },
  };
}
