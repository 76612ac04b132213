import { expect, it } from "vitest";
import type { Store } from "../../src/core/store/index.ts";
import type {
  AuditFilter,
  ListKey,
  ListPart,
  ListResult,
  SessionFilter,
  UserFilter,
} from "../../src/core/store/staff.ts";
import {
  type Dialect,
  type ListSql,
  type ListStatement,
  toAuditList,
  toCountStatement,
  toListStatement,
  toScanEndStatement,
  toSessionList,
  toUserList,
} from "../../src/store/staff-lists.ts";
import { hasLongTests } from "../support/long-tests.ts";

/** What differs between the databases for the tests of long lists. */
export interface LongLists {
  readonly store: () => Store;
  readonly dialect: Dialect;
  /** A literal of 32 bytes. */
  readonly bytes: string;
  /** Runs a statement. */
  readonly run: (sql: string) => Promise<void>;
  /** Returns the plan of a statement, as text. */
  readonly explain: (statement: ListStatement) => Promise<string>;
  /** Does the same, but sorts only if no index has the order. Otherwise, a planner may prefer to sort a few rows. */
  readonly explainOrder: (statement: ListStatement) => Promise<string>;
  /** Matches a plan that reads a whole table. */
  readonly fullScan: RegExp;
  /** Matches a plan that sorts. */
  readonly sort: RegExp;
}

const rows = 10_000;

/** Of so many combinations of filters, one is looked at. 7 shares no factor with the numbers of choices, so each choice occurs. */
const step = hasLongTests ? 1 : 7;

const now = () => Math.floor(Date.now() / 1000);

/** Returns the statements that add rows `first` to `last` to every list. */
function toInserts(first: number, last: number, { dialect: { schema }, bytes }: LongLists): readonly string[] {
  const numbers = `WITH RECURSIVE n (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${last})`;
  const at = now() - rows;
  const insert = (table: string, columns: string, values: string) =>
    `INSERT INTO ${schema}${table} (${columns}) ${numbers} SELECT ${values} FROM n`;
  const flag = (value: boolean) => (schema === "" ? String(Number(value)) : String(value));
  return [
    insert(
      "users",
      `${schema === "" ? "position, " : ""}id, username, username_key, email, is_active, is_staff, epoch, created_at, role`,
      `${schema === "" ? "i, " : ""}'u' || i, 'user' || i, 'user' || i, 'user' || i || '@example.org',
        CASE WHEN i % 500 = 0 THEN ${flag(false)} ELSE ${flag(true)} END, ${flag(false)}, 0, ${at} + i,
        CASE WHEN i % 1000 = 0 THEN 'viewer' END`,
    ),
    insert(
      "sessions",
      `id, user_id, user_epoch, generation, current_hash, created_at, last_used_at, idle_expires_at, absolute_expires_at,
        persistent, user_agent, ip, cleanup_at, revoked_at, revoke_reason`,
      `'s' || i, 'u' || (i % 1000 + 1), 0, 0, ${bytes}, ${at} + i / 3, ${at} + i, ${at} + 10000000, ${at} + 10000000, ${flag(true)},
        'Firefox ' || i % 7, '192.0.2.' || i % 250, ${at} + 10000000, CASE WHEN i % 2 = 0 THEN ${at} + i END,
        CASE WHEN i % 2 = 0 THEN 'logout' END`,
    ),
    insert(
      "audit_log",
      "at, type, user_id, session_id, ip, actor, details",
      `${at} + i / 3, 'login', 'u' || (i % 1000 + 1), 's' || i, '192.0.2.' || i % 250,
        CASE WHEN i % 400 = 0 THEN 'staff/ada' END, '{}'`,
    ),
  ];
}

type Read = (part: ListPart) => Promise<ListResult<{ readonly id: string | number }>>;

/** Reads a list to its end, while `disturb` changes it after every part. */
async function readAll(read: Read, disturb: (part: number) => Promise<void>, isBackward: boolean) {
  const seen: (string | number)[] = [];
  let from: ListKey | null = null;
  let part = 0;
  do {
    const result: Awaited<ReturnType<Read>> = await read({ from, isBackward, limit: 200, scan: 1_000 });
    seen.push(...result.rows.map(({ row }) => row.id));
    from = result.end;
    part += 1;
    await disturb(part);
  } while (from !== null);
  return { seen, parts: part };
}

/** Returns every combination of the given values and of none. */
function toCombinations<F>(choices: { readonly [K in keyof F]-?: readonly F[K][] }): readonly F[] {
  return Object.entries(choices as Record<string, readonly unknown[]>).reduce<readonly object[]>(
    (filters, [name, values]) =>
      filters.flatMap((filter) => [filter, ...values.map((value) => ({ ...filter, [name]: value }))]),
    [{}],
  ) as readonly F[];
}

/** Declares the tests of lists with 10,000 rows each. */
export function testLongLists(lists: LongLists): void {
  it("holds 10,000 users, sessions and audit entries", async () => {
    for (const sql of toInserts(1, rows, lists)) await lists.run(sql);
    await lists.run("ANALYZE");
  });

  const reads: readonly (readonly [string, (part: ListPart) => ReturnType<Read>])[] = [
    ["users", (part) => lists.store().staff.users({}, part)],
    ["users by name", (part) => lists.store().staff.users({ namePrefix: "user" }, part)],
    ["users by email", (part) => lists.store().staff.users({ emailPrefix: "USER" }, part)],
    ["sessions", (part) => lists.store().staff.sessions({}, part)],
    ["live sessions", (part) => lists.store().staff.sessions({ state: "live" }, part)],
    ["audit", (part) => lists.store().staff.audit({}, part)],
    ["audit of a type", (part) => lists.store().staff.audit({ types: ["login"] }, part)],
  ];
  let next = rows;
  it.each(reads.flatMap((read) => [[...read, false] as const, [...read, true] as const]))(
    "returns each row of %s once while others are inserted and deleted",
    async (_, read, isBackward) => {
      const { schema } = lists.dialect;
      const whole = await readAll(read, async () => {}, isBackward);
      expect(new Set(whole.seen).size).toBe(whole.seen.length);
      const gone = new Set<string | number>();
      const { seen, parts } = await readAll(
        read,
        async (part) => {
          for (const sql of toInserts(next + 1, next + 20, lists)) await lists.run(sql);
          next += 20;
          // Rows that were read, and rows that were not.
          const ids = [part * 97, part * 197 + 3].map((at) => whole.seen[at % whole.seen.length] as string | number);
          for (const id of ids) gone.add(id);
          const [table, column] = /^audit/.test(_) ? ["audit_log", "seq"] : [_.replace(/^live | by .*/g, ""), "id"];
          await lists.run(
            `DELETE FROM ${schema}${table} WHERE ${column} IN (${ids.map((id) => `'${id}'`).join(", ")})`,
          );
        },
        isBackward,
      );
      expect(parts).toBeGreaterThan(20);
      expect(new Set(seen).size).toBe(seen.length);
      const found = new Set(seen);
      expect(whole.seen.filter((id) => !found.has(id) && !gone.has(id))).toEqual([]);
      // In the same order.
      const at = new Map(whole.seen.map((id, index) => [id, index]));
      const positions = seen.flatMap((id) => at.get(id) ?? []);
      // Backward, each part is in the list's order, and the parts come last first.
      if (!isBackward) expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    },
  );

  it("counts the rows that match, unless it would have to look at many of them", async () => {
    const { users, sessions, audit } = lists.store().staff;
    const part = { from: null, isBackward: false, limit: 10, scan: 20_000, isCounted: true };
    const whole = await readAll(
      (each) => users({}, each),
      async () => {},
      false,
    );
    expect(whole.seen.length).toBeGreaterThan(10_000);
    expect((await users({}, part)).count).toBe(10_000);
    expect((await users({}, { ...part, isCounted: false })).count).toBeUndefined();
    const viewers = await readAll(
      (each) => users({ role: "viewer" }, each),
      async () => {},
      false,
    );
    expect((await users({ role: "viewer" }, { ...part, limit: 2 })).count).toBe(viewers.seen.length);
    expect((await users({ role: "viewer" }, { ...part, limit: 200 })).count).toBe(viewers.seen.length);
    const own = await readAll(
      (each) => sessions({ userId: "u7" }, each),
      async () => {},
      false,
    );
    expect((await sessions({ userId: "u7" }, { ...part, limit: 2 })).count).toBe(own.seen.length);
    const live = await readAll(
      (each) => sessions({ userId: "u8", state: "live" }, each),
      async () => {},
      false,
    );
    expect(live.seen.length).toBeLessThan(own.seen.length + 1);
    expect((await sessions({ userId: "u8", state: "live" }, { ...part, limit: 2 })).count).toBe(live.seen.length);
    // A filter without an index, over more rows than are looked at.
    expect((await audit({ ip: "192.0.2.7" }, part)).count).toBeUndefined();
    expect((await audit({ types: ["login"] }, part)).count).toBeUndefined();
    expect((await audit({}, part)).count).toBe(10_000);
    expect((await users({ namePrefix: "nobody" }, part)).count).toBe(0);
  });

  const { dialect } = lists;
  const users = toCombinations<UserFilter>({
    nameKey: ["user12"],
    namePrefix: ["user12"],
    emailPrefix: ["user12@"],
    isActive: [true, false],
    role: ["viewer", "none"],
  }).map((filter): [UserFilter, ListSql] => [filter, toUserList(filter, dialect)]);
  const sessions = toCombinations<SessionFilter>({
    userId: ["u7"],
    ips: [["192.0.2.1", "192.0.2.2"]],
    ipPrefixes: [["192.0.2."]],
    userAgent: ["fire"],
    createdBefore: [now()],
    unusedSince: [now()],
    state: ["live", "ended"],
  }).map((filter): [SessionFilter, ListSql] => [filter, toSessionList(filter, dialect)]);
  const audit = toCombinations<AuditFilter>({
    types: [["login", "refresh"], ["throttled"]],
    userId: ["u7"],
    sessionId: ["s7"],
    ip: ["192.0.2.1"],
    actor: ["staff/ada"],
    reason: ["reuse"],
    hasActor: [true],
    since: [now() - 5_000],
    before: [now()],
  }).map((filter): [AuditFilter, ListSql] => [filter, toAuditList(filter, dialect)]);

  it.each([
    ["users", users],
    ["sessions", sessions],
    ["audit", audit],
  ] as const)("reads combinations of filters of %s by an index, in the order of the list", async (_, lines) => {
    const faults: string[] = [];
    for (const [filter, list] of lines.filter((_line, index) => index % step === 0)) {
      // A planner may well sort a table of which it counts almost every row.
      const counted = await lists.explainOrder(toCountStatement(list, dialect));
      for (const isBackward of [false, true]) {
        for (const isFirst of [true, false]) {
          const from = list.key.map(({ type }) => (type === "text" ? "user5" : now()));
          const part: ListPart = { from: isFirst ? null : from, isBackward, limit: 50, scan: 20_000 };
          const all = await lists.explain(toListStatement(list, part, dialect));
          const scanned = await lists.explain(toScanEndStatement(list, part, dialect));
          const ordered = await lists.explainOrder(toScanEndStatement(list, part, dialect));
          if ([all, scanned, counted].some((plan) => lists.fullScan.test(plan)) || lists.sort.test(ordered)) {
            const plans = [all, scanned, counted, ordered].join("\n");
            faults.push(`${JSON.stringify({ ...filter, isBackward, isFirst })}\n${plans}`);
          }
        }
      }
    }
    expect(faults.slice(0, 3)).toEqual([]);
  });
}
