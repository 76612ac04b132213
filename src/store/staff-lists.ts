import {
  type AuditFilter,
  alarmTypes,
  type ListPart,
  type SessionFilter,
  type UserFilter,
} from "../core/store/staff.ts";
import { auditColumns } from "./audit-query.ts";
import { toFormerType } from "./former-names.ts";

/** The value of a parameter. */
export type Value = string | number;

/** A column by which a list is sorted. */
interface KeyColumn {
  readonly sql: string;
  readonly type: "bigint" | "text";
}

/** A SQL condition with its parameters. */
interface Condition {
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, Value>>;
}

/** A list, in SQL that both databases understand. */
export interface ListSql {
  readonly table: "users" | "sessions" | "audit_log";
  readonly columns: string;
  readonly key: readonly KeyColumn[];
  readonly order: "ASC" | "DESC";
  /** The conditions that an index can answer. */
  readonly indexed: readonly Condition[];
  /** The conditions that are checked row by row, at most `scan` of them. */
  readonly filters: readonly Condition[];
}

/** What differs between the databases. */
export interface Dialect {
  /** The prefix of tables: "tokenpair." or "". */
  readonly schema: string;
  /** The part before SELECT in statements that need the time. */
  readonly withNow: string;
  /** The item of FROM that `withNow` defines, or "". */
  readonly now: string;
  readonly userColumns: string;
  /** A condition on `sessions`: the session is live. */
  readonly isLive: string;
  /** The expression that the index on email addresses has. */
  readonly emailKey: string;
}

/** A statement with its parameters. */
export interface ListStatement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Value>>;
}

/** The character that is after every other one. */
const last = "\u{10FFFF}";

/** Returns the condition that a column begins with a text. Indexes with bytewise order can answer it. */
function beginsWith(column: string, name: string, prefix: string): Condition {
  return {
    sql: `${column} >= CAST(:${name} AS text) AND ${column} < CAST(:${name}End AS text)`,
    parameters: { [name]: prefix, [`${name}End`]: `${prefix}${last}` },
  };
}

/** Returns the condition that a column has a value. */
function equals(column: string, name: string, value: string): Condition {
  return { sql: `${column} = CAST(:${name} AS text)`, parameters: { [name]: value } };
}

function compare(column: string, operator: "<" | ">=" | "<=", name: string, value: number): Condition {
  return { sql: `${column} ${operator} CAST(:${name} AS bigint)`, parameters: { [name]: value } };
}

/** Returns the list of users. */
export function toUserList(
  { nameKey, namePrefix, emailPrefix, isActive, role }: UserFilter,
  dialect: Dialect,
): ListSql {
  const ofRole: readonly Condition[] =
    role === undefined ? [] : [role === "none" ? { sql: "role IS NULL" } : equals("role", "role", role)];
  const ofState: readonly Condition[] =
    isActive === undefined ? [] : [{ sql: isActive ? "is_active" : "NOT is_active" }];
  const filters = [...ofState, ...ofRole];
  const list = { table: "users", columns: dialect.userColumns } as const;
  if (namePrefix !== undefined) {
    const key = [{ sql: "username_key", type: "text" }] as const;
    return { ...list, key, order: "ASC", indexed: [beginsWith("username_key", "name", namePrefix)], filters };
  }
  if (emailPrefix !== undefined) {
    const key = [
      { sql: dialect.emailKey, type: "text" },
      { sql: "position", type: "bigint" },
    ] as const;
    // SQLite doesn't use the index without the first condition.
    const indexed = [{ sql: "email IS NOT NULL" }, beginsWith(dialect.emailKey, "email", toAsciiLower(emailPrefix))];
    return { ...list, key, order: "ASC", indexed, filters };
  }
  if (nameKey !== undefined) {
    const key = [{ sql: "username_key", type: "text" }] as const;
    return { ...list, key, order: "ASC", indexed: [equals("username_key", "nameKey", nameKey)], filters };
  }
  const byPosition = { ...list, key: [{ sql: "position", type: "bigint" }], order: "DESC" } as const;
  // Few users have a role, and few are inactive: each has an index in the order of the list.
  if (role !== undefined && role !== "none") {
    return { ...byPosition, indexed: [{ sql: "role IS NOT NULL" }], filters };
  }
  if (isActive === false) return { ...byPosition, indexed: ofState, filters: ofRole };
  return { ...byPosition, indexed: [], filters };
}

/** Returns the list of sessions. */
export function toSessionList(filter: SessionFilter, { schema, isLive }: Dialect): ListSql {
  const { userId, ips, ipPrefixes, userAgent, createdBefore, unusedSince, state } = filter;
  const text = toAsciiLower(userAgent ?? "");
  return {
    table: "sessions",
    columns: `id, user_id AS "userId", created_at AS "createdAt", last_used_at AS "lastUsedAt",
      idle_expires_at AS "expiresAt", generation, ip, user_agent AS "userAgent", label, actor,
      (${isLive}) AS "isLive", revoked_at AS "revokedAt", revoke_reason AS "revokeReason",
      (SELECT username FROM ${schema}users WHERE users.id = sessions.user_id) AS username`,
    key: [
      { sql: "created_at", type: "bigint" },
      { sql: "id", type: "text" },
    ],
    order: "DESC",
    indexed: [
      ...(userId === undefined ? [] : [equals("user_id", "userId", userId)]),
      ...(createdBefore === undefined ? [] : [compare("created_at", "<", "createdBefore", createdBefore)]),
      ...(state === "live" ? [{ sql: "revoked_at IS NULL" }] : []),
    ],
    filters: [
      ...(state === undefined ? [] : [{ sql: state === "live" ? `(${isLive})` : `NOT (${isLive})` }]),
      ...(ips === undefined ? [] : [isOneOf("ip", "ip", ips)]),
      ...(ipPrefixes === undefined
        ? []
        : [either(toFilled(ipPrefixes).map((text, index) => beginsWith("ip", `network${index}x`, text)))]),
      ...(unusedSince === undefined ? [] : [compare("last_used_at", "<", "unusedSince", unusedSince)]),
      ...(userAgent === undefined ? [] : [contains("lower(user_agent)", "userAgent", text)]),
    ],
  };
}

/** Returns the list of audit entries. */
export function toAuditList(filter: AuditFilter, { schema }: Pick<Dialect, "schema">): ListSql {
  const { types, userId, sessionId, ip, actor, reason, hasActor, since, before } = filter;
  const bySequence = userId !== undefined || sessionId !== undefined;
  const times = [
    ...(since === undefined ? [] : [compare("at", ">=", "since", since)]),
    ...(before === undefined ? [] : [compare("at", "<", "before", before)]),
  ];
  const sequence = { sql: "seq", type: "bigint" } as const;
  // Literals, because a planner must know that these conditions are those of an index.
  const alarms = `type IN (${alarmTypes.map((type) => `'${type}'`).join(", ")})`;
  const isOfAlarms = types?.every((type) => alarmTypes.includes(type)) ?? false;
  return {
    table: "audit_log",
    columns: `${auditColumns},
      (SELECT nullif(username, '') FROM ${schema}users WHERE users.id = audit_log.user_id) AS username`,
    // The entries of one user or session have an index by number, all others one by time.
    key: bySequence ? [sequence] : [{ sql: "at", type: "bigint" }, sequence],
    order: "DESC",
    indexed: [
      ...(userId === undefined ? [] : [equals("user_id", "userId", userId)]),
      ...(sessionId === undefined ? [] : [equals("session_id", "sessionId", sessionId)]),
      ...(bySequence ? [] : times),
      ...(bySequence || !(hasActor || actor !== undefined) ? [] : [{ sql: "actor IS NOT NULL" }]),
      ...(bySequence || !isOfAlarms ? [] : [{ sql: alarms }]),
      ...(bySequence || reason !== "reuse" ? [] : [{ sql: "reason = 'reuse'" }]),
    ],
    filters: [
      ...(bySequence ? times : []),
      ...(types === undefined ? [] : [isOneOf("type", "type", [...new Set([...types, ...types.map(toFormerType)])])]),
      ...(ip === undefined ? [] : [equals("ip", "ip", ip)]),
      ...(actor === undefined ? [] : [equals("actor", "actor", actor)]),
      ...(reason === undefined ? [] : [equals("reason", "reason", reason)]),
      ...(hasActor ? [{ sql: "actor IS NOT NULL" }] : []),
    ],
  };
}

/** Returns the statement that reads a part of a list: one row more than `limit`, if there is one. */
export function toListStatement(list: ListSql, part: ListPart, dialect: Dialect): ListStatement {
  const { columns, table, filters } = list;
  const { order, scanned, parameters } = toScanned(list, part, dialect);
  const keys = list.key.map(({ sql }, index) => `${sql} AS "key${index}"`).join(", ");
  const where = filters.length === 0 ? "" : `WHERE ${filters.map(({ sql }) => sql).join(" AND ")}`;
  return {
    sql: `${dialect.withNow} SELECT ${columns}, ${keys}
      FROM ${dialect.now}(SELECT * FROM ${scanned} LIMIT CAST(:scan AS bigint)) AS ${table}
      ${where} ORDER BY ${order} LIMIT CAST(:limit AS bigint)`,
    parameters: { ...merge(filters), ...parameters, scan: part.scan, limit: part.limit + 1 },
  };
}

/** Returns the statement that finds the last row that `toListStatement` looks at, if there are as many. */
export function toScanEndStatement(list: ListSql, part: ListPart, dialect: Dialect): ListStatement {
  const { scanned, parameters } = toScanned(list, part, dialect);
  const keys = list.key.map(({ sql }, index) => `${sql} AS "key${index}"`).join(", ");
  return {
    sql: `SELECT ${keys} FROM ${scanned} LIMIT 1 OFFSET CAST(:scan AS bigint)`,
    parameters: { ...parameters, scan: part.scan - 1 },
  };
}

/** The number beyond which nothing is counted. */
export const mostCounted = 10_000;

/** How many rows are looked at to count those that match. Filters without an index take several microseconds a row. */
export function toCountLimit({ filters }: Pick<ListSql, "filters">): number {
  return filters.length === 0 ? mostCounted : 2_000;
}

/** Returns the statement that counts the rows of a list: how many match, and how many were looked at. */
export function toCountStatement(list: ListSql, dialect: Dialect): ListStatement {
  const { table, filters } = list;
  const { scanned, parameters } = toScanned(list, { from: null, isBackward: false }, dialect);
  const matches = filters.map(({ sql }) => sql).join(" AND ");
  // Without filters, an index has everything that is needed.
  const [columns, matching] = filters.length === 0 ? ["1", "1"] : ["*", `CASE WHEN ${matches} THEN 1 END`];
  return {
    sql: `${dialect.withNow} SELECT count(${matching}) AS matches, count(*) AS scanned
      FROM ${dialect.now}(SELECT ${columns} FROM ${scanned} LIMIT ${toCountLimit(list) + 1}) AS ${table}`,
    parameters: { ...merge(filters), ...parameters },
  };
}

function toScanned(
  { table, key, indexed, ...list }: ListSql,
  { from, isBackward }: Pick<ListPart, "from" | "isBackward">,
  { schema }: Dialect,
) {
  const direction = isBackward === (list.order === "ASC") ? "DESC" : "ASC";
  const order = key.map(({ sql }) => `${sql} ${direction}`).join(", ");
  const names = key.map(({ type }, index) => `CAST(:from${index} AS ${type})`).join(", ");
  const beyond =
    from === null ? [] : [`(${key.map(({ sql }) => sql).join(", ")}) ${direction === "ASC" ? ">" : "<"} (${names})`];
  const conditions = [...indexed.map(({ sql }) => sql), ...beyond];
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const position = Object.fromEntries((from ?? []).map((value, index) => [`from${index}`, value]));
  return {
    order,
    scanned: `${schema}${table} ${where} ORDER BY ${order}`,
    parameters: { ...merge(indexed), ...position },
  };
}

/** Lists are filled up to a power of two, so that there are few different statements to prepare. */
function isOneOf(column: string, name: string, given: readonly string[]): Condition {
  const values = toFilled(given);
  return {
    sql: `${column} IN (${values.map((_, index) => `CAST(:${name}${index} AS text)`).join(", ")})`,
    parameters: Object.fromEntries(values.map((value, index) => [`${name}${index}`, value])),
  };
}

function toFilled(values: readonly string[]): readonly string[] {
  const length = 2 ** Math.ceil(Math.log2(values.length));
  return Array.from({ length }, (_, index) => values[Math.min(index, values.length - 1)] as string);
}

function either(conditions: readonly Condition[]): Condition {
  return { sql: `(${conditions.map(({ sql }) => `(${sql})`).join(" OR ")})`, parameters: merge(conditions) };
}

function contains(column: string, name: string, text: string): Condition {
  const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  return { sql: `${column} LIKE CAST(:${name} AS text) ESCAPE '\\'`, parameters: { [name]: pattern } };
}

function merge(conditions: readonly Condition[]): Readonly<Record<string, Value>> {
  return Object.assign({}, ...conditions.map(({ parameters }) => parameters));
}

/** Converts ASCII letters only, as the databases do in the indexes. */
function toAsciiLower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
