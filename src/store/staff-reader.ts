import type { ListedSession, ListKey, ListPart, ListResult, StaffStore } from "../core/store/staff.ts";
import type { User } from "../core/user.ts";
import { type AuditEntryRow, toAuditEntry } from "./audit-query.ts";
import {
  type Dialect,
  type ListSql,
  type ListStatement,
  mostCounted,
  toAuditList,
  toCountLimit,
  toCountStatement,
  toListStatement,
  toScanEndStatement,
  toSessionList,
  toUserList,
  type Value,
} from "./staff-lists.ts";

/** A row of a list, with its position in `key0` and `key1`. */
type KeyedRow = Readonly<Record<string, unknown>>;

/** How a database reads the lists of the staff. */
export interface ListReader<U, S> {
  readonly dialect: Dialect;
  /** Runs one statement of a list. */
  readonly run: (operation: string, list: ListSql, statement: ListStatement) => Promise<readonly object[]>;
  readonly toUser: (row: U) => User;
  readonly toSession: (row: S) => ListedSession;
}

/** Creates the lists of the staff. */
export function createStaffLists<U, S>({
  dialect,
  run,
  toUser,
  toSession,
}: ListReader<U, S>): Pick<StaffStore, "users" | "sessions" | "audit"> {
  async function read<R, T>(
    operation: string,
    list: ListSql,
    part: ListPart,
    toRow: (row: R) => T,
  ): Promise<ListResult<T>> {
    const first = async (statement: ListStatement) => (await run(operation, list, statement))[0];
    const { limit, isBackward, isCounted = false } = part;
    const rows = (await run(operation, list, toListStatement(list, part, dialect))) as readonly KeyedRow[];
    const toKey = (row: KeyedRow): ListKey => list.key.map((_, index) => row[`key${index}`] as Value);
    const found = rows.slice(0, limit).map((row) => ({ key: toKey(row), row: toRow(withoutKeys(row) as R) }));
    const ordered = isBackward ? found.toReversed() : found;
    if (rows.length > limit) {
      const end = found.at(-1)?.key ?? null;
      // A list that ends early because few rows match its filters isn't counted: that would take as long again.
      const counted = isCounted ? ((await first(toCountStatement(list, dialect))) as CountRow | undefined) : undefined;
      return { rows: ordered, end, ...toCount(list, counted) };
    }
    // Filters may have hidden more rows than were looked at.
    const end = list.filters.length === 0 ? undefined : await first(toScanEndStatement(list, part, dialect));
    if (end !== undefined) return { rows: ordered, end: toKey(end as KeyedRow) };
    return { rows: ordered, end: null, ...(isCounted ? { count: ordered.length } : {}) };
  }

  return {
    users: (filter, part) => read("staff.users", toUserList(filter, dialect), part, toUser),
    sessions: (filter, part) => read("staff.sessions", toSessionList(filter, dialect), part, toSession),
    audit: (filter, part) =>
      read("staff.audit", toAuditList(filter, dialect), part, (row: AuditEntryRow & { username: string | null }) => ({
        ...toAuditEntry(row),
        username: row.username,
      })),
  };
}

/** The row of `toCountStatement`. */
interface CountRow {
  readonly matches: number;
  readonly scanned: number;
}

/** Returns the count, unless others may match beyond the last row that was looked at. */
function toCount(list: ListSql, counted: CountRow | undefined): { readonly count?: number } {
  if (counted === undefined || (counted.scanned > toCountLimit(list) && counted.matches < mostCounted)) return {};
  return { count: Math.min(counted.matches, mostCounted) };
}

function withoutKeys({ key0: _, key1: __, ...row }: KeyedRow): KeyedRow {
  return row;
}

/** A row of the statement that finds names. */
interface NameRow {
  readonly id: string;
  readonly username: string;
}

/** Converts rows to the names of users by id. */
export function toNames(rows: readonly object[]): ReadonlyMap<string, string> {
  return new Map((rows as readonly NameRow[]).map(({ id, username }) => [id, username]));
}
