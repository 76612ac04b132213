import type {
  ListedSession,
  ListPart,
  ListResult,
  LiveCounts,
  NodeReport,
  StaffStore,
} from "../../core/store/staff.ts";
import { type AuditEntryRow, toAuditEntry } from "../audit-query.ts";
import {
  type Dialect,
  type ListSql,
  type ListStatement,
  toAuditList,
  toListResult,
  toListStatement,
  toScanEndStatement,
  toSessionList,
  toUserList,
} from "../staff-lists.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { isLiveInEpoch, toUser, type UserRow, userColumns } from "./rows.ts";

/** How SQLite writes the lists. */
export const sqliteDialect: Dialect = {
  schema: "",
  withNow: "",
  now: "",
  userColumns,
  isLive: `coalesce(${isLiveInEpoch}, 0)`,
  emailKey: "lower(email)",
};

const countLive = `SELECT count(*) AS sessions, count(DISTINCT user_id) AS users FROM sessions WHERE ${isLiveInEpoch}`;

const names = "SELECT id, username FROM users WHERE id IN (SELECT value FROM json_each(:userIds)) AND username <> ''";

const report = `INSERT INTO node_reports (id, reported_at, body) VALUES (:id, :now, :body)
  ON CONFLICT (id) DO UPDATE SET reported_at = excluded.reported_at, body = excluded.body`;

const reports =
  'SELECT id, reported_at AS "reportedAt", body FROM node_reports WHERE reported_at >= :now - 3600 ORDER BY id';

/** Creates the store of the staff's lists. */
export function createStaffStore(connection: SqliteConnection): StaffStore {
  async function read<T>(
    operation: string,
    list: ListSql,
    part: ListPart,
    toRow: (row: never) => T,
  ): Promise<ListResult<T>> {
    const all = (statement: ListStatement) =>
      connection.read(operation, (now) => {
        const time = list.table === "sessions" && statement.sql.includes(":now") ? { now } : {};
        return connection.prepare(statement.sql).all({ ...statement.parameters, ...time });
      });
    const rows = await all(toListStatement(list, part, sqliteDialect));
    return toListResult(list, part, rows, {
      toRow,
      findScanEnd: async () => (await all(toScanEndStatement(list, part, sqliteDialect)))[0],
    });
  }

  return {
    users: (filter, part) =>
      read("staff.users", toUserList(filter, sqliteDialect), part, (row: UserRow) => toUser(row)),
    sessions: (filter, part) =>
      read("staff.sessions", toSessionList(filter, sqliteDialect), part, ({ isLive, ...row }: SessionRow) => ({
        ...row,
        isLive: isLive === 1,
      })),
    audit: (filter, part) =>
      read("staff.audit", toAuditList(filter, sqliteDialect), part, (row: ListedAuditRow) => ({
        ...toAuditEntry(row),
        username: row.username,
      })),

    async names(userIds) {
      const rows = await connection.read(
        "staff.names",
        () => connection.prepare(names).all({ userIds: JSON.stringify(userIds) }) as unknown as readonly NameRow[],
      );
      return new Map(rows.map(({ id, username }) => [id, username]));
    },
    async countLive() {
      return connection.read(
        "staff.countLive",
        (now) => connection.prepare(countLive).get({ now }) as unknown as LiveCounts,
      );
    },
    async report({ id, body }) {
      await connection.write("staff.report", (now) => {
        connection.prepare("DELETE FROM node_reports WHERE reported_at < :now - 3600").run({ now });
        connection.prepare(report).run({ id, body, now });
      });
    },
    async forgetReport(id) {
      await connection.write("staff.forgetReport", () => {
        connection.prepare("DELETE FROM node_reports WHERE id = :id").run({ id });
      });
    },
    async reports() {
      return connection.read("staff.reports", (now) => {
        const rows = connection.prepare(reports).all({ now }) as unknown as readonly NodeReport[];
        return { reports: rows, now };
      });
    },
  };
}

type SessionRow = Omit<ListedSession, "isLive"> & { readonly isLive: 0 | 1 };

type ListedAuditRow = AuditEntryRow & { readonly username: string | null };

interface NameRow {
  readonly id: string;
  readonly username: string;
}
