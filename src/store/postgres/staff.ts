import type { ListedSession, ListPart, ListResult, StaffStore } from "../../core/store/staff.ts";
import type { User } from "../../core/user.ts";
import { type AuditEntryRow, toAuditEntry } from "../audit-query.ts";
import {
  type Dialect,
  type ListSql,
  toAuditList,
  toListResult,
  toListStatement,
  toScanEndStatement,
  toSessionList,
  toUserList,
} from "../staff-lists.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { isLiveInEpoch, userColumns } from "./rows.ts";

const dialect: Dialect = {
  schema: "tokenpair.",
  withNow: `WITH ${clock}`,
  now: "clock, ",
  userColumns,
  isLive: `coalesce(${isLiveInEpoch}, false)`,
  emailKey: 'lower(email COLLATE "C")',
};

/** Creates the store of the staff's lists. */
export function createStaffStore(connection: PostgresConnection): StaffStore {
  async function read<T>(
    operation: string,
    list: ListSql,
    part: ListPart,
    toRow: (row: never) => T,
  ): Promise<ListResult<T>> {
    const statement = toListStatement(list, part, dialect);
    const rows = await connection.run<Record<string, unknown>>(operation, statement.sql, statement.parameters);
    return toListResult(list, part, rows, {
      toRow,
      async findScanEnd() {
        const end = toScanEndStatement(list, part, dialect);
        const [row] = await connection.run<Record<string, unknown>>(operation, end.sql, end.parameters);
        return row;
      },
    });
  }

  return {
    users: (filter, part) => read("staff.users", toUserList(filter, dialect), part, (row: User) => row),
    sessions: (filter, part) =>
      read("staff.sessions", toSessionList(filter, dialect), part, (row: ListedSession) => row),
    audit: (filter, part) => read("staff.audit", toAuditList(filter), part, (row: AuditEntryRow) => toAuditEntry(row)),
  };
}
