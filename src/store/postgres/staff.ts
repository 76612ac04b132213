import type { ListedSession, LiveCounts, NodeReport, StaffStore } from "../../core/store/staff.ts";
import type { User } from "../../core/user.ts";
import type { Dialect } from "../staff-lists.ts";
import { createStaffLists, toNames } from "../staff-reader.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { isLiveInEpoch, userColumns } from "./rows.ts";

/** How PostgreSQL writes the lists. */
export const postgresDialect: Dialect = {
  schema: "tokenpair.",
  withNow: `WITH ${clock}`,
  now: "clock, ",
  userColumns,
  isLive: `coalesce(${isLiveInEpoch}, false)`,
  emailKey: 'lower(email COLLATE "C")',
};

const countLive = `WITH ${clock} SELECT count(*) AS sessions, count(DISTINCT user_id) AS users
  FROM clock, tokenpair.sessions WHERE ${isLiveInEpoch}`;

const names = "SELECT id, username FROM tokenpair.users WHERE id = ANY (:userIds::text[]) AND username <> ''";

const report = `WITH ${clock}, forgotten AS (
    DELETE FROM tokenpair.node_reports USING clock WHERE reported_at < now - 3600 AND id <> :id)
  INSERT INTO tokenpair.node_reports (id, reported_at, body) SELECT :id, now, :body FROM clock
  ON CONFLICT (id) DO UPDATE SET reported_at = excluded.reported_at, body = excluded.body`;

const reports = `WITH ${clock} SELECT now, id, reported_at AS "reportedAt", body
  FROM clock LEFT JOIN tokenpair.node_reports ON reported_at >= now - 3600 ORDER BY id`;

/** Creates the store of the staff's lists. */
export function createStaffStore(connection: PostgresConnection): StaffStore {
  return {
    ...createStaffLists({
      dialect: postgresDialect,
      run: (operation, _, { sql, parameters }) => connection.run<object>(operation, sql, parameters),
      toUser: (row: User) => row,
      toSession: (row: ListedSession) => row,
    }),

    names: async (userIds) => toNames(await connection.run<object>("staff.names", names, { userIds })),
    async countLive() {
      const [row] = await connection.run<LiveCounts>("staff.countLive", countLive, {});
      return row as LiveCounts;
    },
    async report(given) {
      await connection.run("staff.report", report, { ...given });
    },
    async forgetReport(id) {
      await connection.run("staff.forgetReport", "DELETE FROM tokenpair.node_reports WHERE id = :id", { id });
    },
    async reports() {
      const rows = await connection.run<NodeReport & { readonly now: number }>("staff.reports", reports, {});
      const found = rows.filter(({ id }) => id !== null).map(({ now: _, ...row }) => row);
      return { reports: found, now: rows[0]?.now ?? 0 };
    },
  };
}
