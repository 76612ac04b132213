import type { ListedSession, LiveCounts, NodeReport, StaffStore } from "../../core/store/staff.ts";
import type { Dialect } from "../staff-lists.ts";
import { createStaffLists, toNames } from "../staff-reader.ts";
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
  return {
    ...createStaffLists({
      dialect: sqliteDialect,
      run: (operation, { table }, { sql, parameters }) =>
        connection.read(operation, (now) => {
          const time = table === "sessions" && sql.includes(":now") ? { now } : {};
          return connection.prepare(sql).all({ ...parameters, ...time });
        }),
      toUser: (row: UserRow) => toUser(row),
      toSession: ({ isLive, ...row }: SessionRow) => ({ ...row, isLive: isLive === 1 }),
    }),

    async names(userIds) {
      const parameters = { userIds: JSON.stringify(userIds) };
      return toNames(await connection.read("staff.names", () => connection.prepare(names).all(parameters)));
    },
    async countLive() {
      return connection.read("staff.countLive", (now) => connection.get<LiveCounts>(countLive, { now }) as LiveCounts);
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
        return { reports: connection.all<NodeReport>(reports, { now }), now };
      });
    },
  };
}

type SessionRow = Omit<ListedSession, "isLive"> & { readonly isLive: 0 | 1 };
