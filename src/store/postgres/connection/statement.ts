import { createHash } from "node:crypto";
import type { PostgresQuery, PostgresTypes } from "./driver.ts";
import type { Behaviour } from "./options.ts";

type Value = string | number | boolean | Uint8Array | null;

/** The value of a parameter. It is an array if the statement says so, as in `:name::text[]`. */
type Argument = Value | readonly Value[];

/** The parameters of a statement. `:name` in its text refers to the parameter `name`. */
export type Parameters = Readonly<Record<string, Argument>>;

/**
 * The common table expression that statements begin with. Its column `now` is the time, which is the same for the whole
 * statement. It also sets the lock timeout for the statement's transaction, before a row is locked. So no state stays on
 * the connection.
 */
export const clock = `clock AS MATERIALIZED (
  SELECT coalesce(:now::bigint, floor(extract(epoch FROM clock_timestamp()))::bigint) AS now,
    set_config('lock_timeout', :lockTimeout, true))`;

/**
 * A statement that makes the commit of its transaction durable, even if the default of the database or the role is not
 * durable. It must run as a separate statement.
 */
export const commitDurably = "SELECT set_config('synchronous_commit', 'on', true)";

interface Statement {
  readonly text: string;
  readonly names: readonly string[];
  readonly prepared: { readonly name?: string };
}

/** Converts the store's statements to the form that `pg` takes. */
export interface Statements {
  /**
   * Replaces `:name` with `$n`. Also replaces the schema `tokenpair`, for which the statements are written, with the
   * configured schema.
   *
   * @param lockTimeout how long the statement may wait for a lock, in milliseconds.
   */
  readonly toQuery: (sql: string, parameters: Parameters, lockTimeout: number) => PostgresQuery;
  /** Stops using prepared statements: all later statements are sent unprepared. */
  readonly stopPreparing: () => void;
}

/** Creates the converter of a store's statements. */
export function createStatements({ schema, now, preparedStatements }: Behaviour): Statements {
  const statements = new Map<string, Statement>();
  let isPreparing = preparedStatements;

  function toStatement(sql: string): Statement {
    const names: string[] = [];
    const text = sql
      .replaceAll(/\btokenpair\./g, `"${schema}".`)
      .replaceAll(/(?<!:):([a-z]\w*)/gi, (_, name: string) => {
        if (!names.includes(name)) names.push(name);
        return `$${names.indexOf(name) + 1}`;
      });
    return { text, names, prepared: isPreparing && names.length > 0 ? { name: toStatementName(text) } : {} };
  }

  return {
    toQuery(sql, parameters, lockTimeout) {
      const statement = statements.get(sql) ?? toStatement(sql);
      statements.set(sql, statement);
      const all: Parameters = { now: now?.() ?? null, lockTimeout: String(lockTimeout), ...parameters };
      const { text, names, prepared } = statement;
      return { text, values: names.map((name) => toParameter(all[name])), types, ...prepared };
    },

    stopPreparing() {
      isPreparing = false;
      statements.clear();
    },
  };
}

/** Returns the name of a prepared statement. The same text always has the same name, so that stores can share a pool. */
function toStatementName(text: string): string {
  return `tokenpair_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/**
 * Replaces U+0000, which PostgreSQL can't store in texts, with U+FFFD. Because stored and searched texts are both
 * converted, a text that was stored with it can be found with it.
 */
function toParameter(value: Argument | undefined): Argument {
  if (value === undefined) throw new TypeError("a parameter of the statement is missing");
  if (Array.isArray(value)) return value.map(toParameter) as Value[];
  return typeof value === "string" ? value.replaceAll("\0", "\uFFFD") : value;
}

const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => text === "t"], // boolean
  [17, parseBytes], // bytea
  [20, Number], // bigint: times and counts, far below 2^53
  [21, Number], // smallint
  [23, Number], // integer
]);

/** The conversion of values that are read. It doesn't depend on type parsers that the application has set. */
const types: PostgresTypes = { getTypeParser: (oid) => parsers.get(oid) ?? String };

function parseBytes(text: string): Uint8Array {
  if (!text.startsWith("\\x")) {
    throw new TypeError('the database must have bytea_output = "hex", which is the default: reset it for this role');
  }
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}
