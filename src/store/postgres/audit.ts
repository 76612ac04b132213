import type { AuditOf, AuditPage, AuditRow, AuditStore, ErasedUser } from "../../core/store/audit.ts";
import { type AuditEntryRow, auditColumns, toAuditConditions, toAuditEntry, toErasure } from "../audit-query.ts";
import type { PostgresConnection, Run } from "./connection/connection.ts";
import { clock, commitDurably } from "./connection/statement.ts";
import { isUnseen, toUnseen } from "./snapshot.ts";

const insertedRows = `jsonb_to_recordset(:rows::jsonb) AS row ("time" bigint, type text, "userId" text, "sessionId" text, ip text,
  "userAgent" text, actor text, note text, reason text, details text)`;

const insert = `INSERT INTO tokenpair.audit_log
  (at, type, user_id, session_id, ip, user_agent, actor, note, reason, details)
  SELECT "time", type, "userId", "sessionId", ip, "userAgent", actor, note, reason, details FROM ${insertedRows}`;

const insertDelivery = `INSERT INTO tokenpair.webhook_outbox (id, at, body, next_at)
  VALUES (:id, :at::bigint, :body, :at::bigint)`;

/**
 * Returns the statement that reads the entries that meet `condition`, each with the snapshot of the read. If there are no
 * such entries, the statement returns one row that contains only the snapshot.
 */
const read = (condition: string, order: "ASC" | "DESC") => `WITH place AS MATERIALIZED (
    SELECT pg_current_snapshot()::text AS snapshot)
  SELECT entry.*, place.* FROM place LEFT JOIN LATERAL (
    SELECT ${auditColumns} FROM tokenpair.audit_log
    WHERE ${condition} ORDER BY seq ${order} LIMIT :limit) AS entry ON true
  ORDER BY id`;

// Entries that are committed between two pages belong to the next read. Otherwise they would be returned twice.
const isInLaterPage = "pg_visible_in_snapshot(xid, :snapshot::pg_snapshot) AND seq > :seq::bigint";

/**
 * A reader's position in the audit log. Unlike the position in the feed, it has no start time of the server, because the
 * log isn't read again after a restart.
 */
interface AuditPosition {
  /** The snapshot whose entries have been read. */
  readonly seen: string;
  /** The position within a read of several pages: the snapshot of the first page, and the last entry that was returned. */
  readonly page?: { readonly snapshot: string; readonly seq: number };
}

type Row = AuditEntryRow & { readonly id: number | null; readonly snapshot: string };

const { entries: eraseEntries, sessions: eraseSessions } = toErasure("tokenpair.");

const eraseDeliveries = `UPDATE tokenpair.webhook_outbox
  SET body = (body::jsonb #- '{data,ip}' #- '{data,user_agent}')::text
  WHERE body::jsonb #>> '{data,user_id}' = :userId AND body::jsonb #>> '{data,actor}' IS NULL`;

const findUser = `WITH ${clock}
  SELECT now, EXISTS (SELECT FROM tokenpair.users WHERE id = :userId) AS "exists" FROM clock`;

/** Creates the store of the table `audit_log`. `snapshot.ts` explains why reads never skip an entry. */
export function createAuditStore(connection: PostgresConnection): AuditStore {
  return {
    async append(rows) {
      await connection.run("audit.append", insert, toParameters(rows));
    },

    async read(query) {
      const { after, limit } = query;
      const { sql, parameters } = toAuditConditions(query);
      if (after === null) {
        const rows = await connection.run<Row>("audit.read", read(`true ${sql}`, "DESC"), { ...parameters, limit });
        return toPage(rows, limit, null);
      }
      const position: AuditPosition = JSON.parse(after);
      const condition = position.page === undefined ? isUnseen : `${isUnseen} AND ${isInLaterPage}`;
      const rows = await connection.run<Row>("audit.read", read(condition + sql, "ASC"), {
        ...parameters,
        ...toUnseen(position.seen),
        ...position.page,
        limit: limit + 1,
      });
      return toPage(rows, limit, position);
    },

    async erase(userId, audit) {
      return connection.transact("audit.erase", async ({ run }): Promise<ErasedUser | null> => {
        await run(commitDurably);
        const [found] = await run<{ now: number; exists: boolean }>(findUser, { userId });
        if (found === undefined || found.exists) return null;
        const count = async (sql: string) => (await run(`${sql} RETURNING 1`, { userId })).length;
        const erased = { entries: await count(eraseEntries), sessions: await count(eraseSessions), now: found.now };
        await count(eraseDeliveries);
        return recordChange(run, audit, erased);
      });
    },
  };
}

/**
 * Writes the records that `audit` returns for a change, in the same transaction as the change. If `change` is `null`,
 * nothing has changed and nothing is written. Returns `change`.
 */
export async function recordChange<T>(run: Run, audit: AuditOf<NonNullable<T>> | undefined, change: T): Promise<T> {
  if (audit === undefined || change === null || change === undefined) return change;
  const records = audit(change);
  const rows = records.map(({ row }) => row).filter((row) => row !== null);
  if (rows.length > 0) await run(insert, toParameters(rows));
  for (const { delivery } of records) if (delivery !== null) await run(insertDelivery, { ...delivery });
  return change;
}

function toParameters(rows: readonly AuditRow[]): { readonly rows: string } {
  return { rows: JSON.stringify(rows) };
}

function toPage(rows: readonly Row[], limit: number, position: AuditPosition | null): AuditPage {
  const entries = rows.filter(({ id }) => id !== null).map(({ snapshot: _, ...row }) => toAuditEntry(row));
  const snapshot = position?.page?.snapshot ?? rows[0]?.snapshot ?? "";
  const more = entries.length > limit;
  const page = entries.slice(0, limit);
  const next: AuditPosition =
    more && position !== null
      ? { seen: position.seen, page: { snapshot, seq: page.at(-1)?.id ?? 0 } }
      : { seen: snapshot };
  return { entries: page, cursor: JSON.stringify(next), more };
}
