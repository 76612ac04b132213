import { createHash } from "node:crypto";
import type { PostgresQuery } from "./driver.ts";
import type { Behaviour } from "./options.ts";

type Value = string | number | boolean | Uint8Array | null;

/** A parameter's value; an array where the text says so, as in `:name::text[]`. */
type Argument = Value | readonly Value[];

/** Named parameters: `:name` in the text. */
export type Parameters = Readonly<Record<string, Argument>>;

/**
 * The common table expression with which statements begin: the time in `now`, once for the whole statement. It sets the
 * lock timeout too, for the statement's transaction alone and before a row is locked: no state stays on the connection.
 */
export const clock = `clock AS MATERIALIZED (
  SELECT coalesce(:now::bigint, floor(extract(epoch FROM clock_timestamp()))::bigint) AS now,
    set_config('lock_timeout', :lockTimeout, true))`;

interface Statement {
  readonly text: string;
  readonly names: readonly string[];
  readonly prepared: { readonly name?: string };
}

/**
 * Makes `pg`'s form of a statement out of ours: `:name` becomes `$n`, and the tables, written for the schema `tokenpair`, are
 * those of `schema`. `lockTimeout` is in milliseconds.
 */
export function createStatements({ schema, now, preparedStatements }: Behaviour) {
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

  function toQuery(sql: string, parameters: Parameters, lockTimeout: number): PostgresQuery {
    const statement = statements.get(sql) ?? toStatement(sql);
    statements.set(sql, statement);
    const all: Parameters = { now: now?.() ?? null, lockTimeout: String(lockTimeout), ...parameters };
    const { text, names, prepared } = statement;
    return { text, values: names.map((name) => toParameter(all[name])), types, ...prepared };
  }

  return {
    toQuery,
    /** From now on, nothing is prepared. */
    stopPreparing() {
      isPreparing = false;
      statements.clear();
    },
  };
}

/** One name for one text, also where two stores share a pool. */
function toStatementName(text: string): string {
  return `tokenpair_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** U+0000, which no text of PostgreSQL can hold, becomes U+FFFD: what was stored with it is found with it. */
function toParameter(value: Argument | undefined): Argument {
  if (value === undefined) throw new TypeError("a parameter of the statement is missing");
  if (Array.isArray(value)) return value.map(toParameter) as Value[];
  return typeof value === "string" ? value.replaceAll("\0", "\uFFFD") : value;
}

const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => text === "t"], // boolean
  [17, parseBytes], // bytea
  [20, Number], // bigint: times and counts, far below 2^53
  [23, Number], // integer
]);

/** How values are read, whatever type parsers the application has set for itself. */
const types: NonNullable<PostgresQuery["types"]> = { getTypeParser: (oid) => parsers.get(oid) ?? String };

function parseBytes(text: string): Uint8Array {
  if (!text.startsWith("\\x")) throw new TypeError('the database must have bytea_output = "hex", its default');
  return new Uint8Array(Buffer.from(text.slice(2), "hex"));
}
