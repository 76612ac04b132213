import type { ListedSession, ListPart, ListResult, StaffStore } from "../../core/store/staff.ts";
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

const dialect: Dialect = {
  schema: "",
  withNow: "",
  now: "",
  userColumns,
  isLive: `coalesce(${isLiveInEpoch}, 0)`,
  emailKey: "lower(email)",
};

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
    const rows = await all(toListStatement(list, part, dialect));
    return toListResult(list, part, rows, {
      toRow,
      findScanEnd: async () => (await all(toScanEndStatement(list, part, dialect)))[0],
    });
  }

  return {
    users: (filter, part) => read("staff.users", toUserList(filter, dialect), part, (row: UserRow) => toUser(row)),
    sessions: (filter, part) =>
      read("staff.sessions", toSessionList(filter, dialect), part, ({ isLive, ...row }: SessionRow) => ({
        ...row,
        isLive: isLive === 1,
      })),
    audit: (filter, part) => read("staff.audit", toAuditList(filter), part, (row: AuditEntryRow) => toAuditEntry(row)),
  };
}

type SessionRow = Omit<ListedSession, "isLive"> & { readonly isLive: 0 | 1 };
