import type { AuditOf, AuditPage, AuditRow, AuditStore } from "../../core/store/audit.ts";
import { type AuditEntryRow, auditColumns, toAuditConditions, toAuditEntry } from "../audit-query.ts";
import type { Connection, Run } from "./connection/connection.ts";
import { toUnseen } from "./feed/cursor.ts";

const rows = `jsonb_to_recordset(:rows::jsonb) AS row ("time" bigint, type text, "userId" text, "sessionId" text, ip text,
  "userAgent" text, actor text, reason text, details text)`;

const insert = `INSERT INTO tokenpair.audit_log
  (at, type, user_id, session_id, ip, user_agent, actor, reason, details)
  SELECT "time", type, "userId", "sessionId", ip, "userAgent", actor, reason, details FROM ${rows}`;

const insertDelivery = `INSERT INTO tokenpair.webhook_outbox (id, at, body, next_at)
  VALUES (:id, :at::bigint, :body, :at::bigint)`;

/** The entries that `condition` names, each beside the snapshot with which they were read; in one row without an entry. */
const read = (condition: string, order: "ASC" | "DESC") => `WITH place AS MATERIALIZED (
    SELECT pg_current_snapshot()::text AS snapshot)
  SELECT entry.*, place.* FROM place LEFT JOIN LATERAL (
    SELECT ${auditColumns} FROM tokenpair.audit_log
    WHERE ${condition} ORDER BY seq ${order} LIMIT :limit) AS entry ON true
  ORDER BY id`;

const isUnseen = "(xid >= :from::xid8 OR xid = ANY (:open::xid8[]))";

// What is committed between two pages belongs to the next read, or it would be shown twice.
const isOfNextPage = "pg_visible_in_snapshot(xid, :snapshot::pg_snapshot) AND seq > :seq::bigint";

/**
 * Where a reader stands: the snapshot whose entries it has seen and, within a read that takes several pages, the snapshot
 * of the first page and the last entry handed over. See `Place` of the feed, which is no different but for restarts: of a
 * log that people read, nothing is read again.
 */
interface Position {
  readonly seen: string;
  readonly page?: { readonly snapshot: string; readonly seq: number };
}

type Row = AuditEntryRow & { readonly id: number | null; readonly snapshot: string };

/** The audit log, and the way to write it. */
export interface AuditLog extends AuditStore {
  /** Inside a transaction: writes what `audit` makes of `result`, unless that is `null`. Returns `result`. */
  readonly record: <T>(run: Run, audit: AuditOf<NonNullable<T>> | undefined, result: T) => Promise<T>;
}

/** The audit log in the table `audit_log`. It never skips an entry: see `Position`. */
export function createAuditLog(connection: Connection): AuditLog {
  return {
    async record(run, audit, result) {
      if (audit === undefined || result === null || result === undefined) return result;
      const records = audit(result);
      const logged = records.map(({ row }) => row).filter((row) => row !== null);
      if (logged.length > 0) await run(insert, toParameters(logged));
      for (const { delivery } of records) if (delivery !== null) await run(insertDelivery, { ...delivery });
      return result;
    },

    async append(appended) {
      await connection.run("audit.append", insert, toParameters(appended));
    },

    async read(query) {
      const { after, limit } = query;
      const { sql, parameters } = toAuditConditions(query);
      if (after === null) {
        const found = await connection.run<Row>("audit.read", read(`true ${sql}`, "DESC"), { ...parameters, limit });
        return toPage(found, limit, null);
      }
      const position: Position = JSON.parse(after);
      const condition = position.page === undefined ? isUnseen : `${isUnseen} AND ${isOfNextPage}`;
      const found = await connection.run<Row>("audit.read", read(condition + sql, "ASC"), {
        ...parameters,
        ...toUnseen(position.seen),
        ...position.page,
        limit: limit + 1,
      });
      return toPage(found, limit, position);
    },
  };
}

function toParameters(appended: readonly AuditRow[]): { readonly rows: string } {
  return { rows: JSON.stringify(appended) };
}

function toPage(found: readonly Row[], limit: number, position: Position | null): AuditPage {
  const entries = found.filter(({ id }) => id !== null).map(({ snapshot: _, ...row }) => toAuditEntry(row));
  const snapshot = position?.page?.snapshot ?? found[0]?.snapshot ?? "";
  const more = entries.length > limit;
  const page = entries.slice(0, limit);
  const next: Position =
    more && position !== null
      ? { seen: position.seen, page: { snapshot, seq: page.at(-1)?.id ?? 0 } }
      : { seen: snapshot };
  return { entries: page, cursor: JSON.stringify(next), more };
}
