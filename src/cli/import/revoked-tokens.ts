import { z } from "zod";
import type { LegacyToken } from "../../core/store/legacy.ts";
import type { Fields } from "./fields.ts";
import { id, time } from "./user-fields.ts";

/**
 * A record about a token of simplejwt. `outstanding`: a row of the table of all tokens. `revoked`: a row of the table of
 * revoked tokens, which refers to the other table. `both`: a row that joins the two tables.
 */
export interface TokenRecord {
  readonly kind: "outstanding" | "revoked" | "both";
  readonly fields: Fields;
}

/** The models of simplejwt's app token_blacklist in the output of Django's dumpdata, in lower case. */
export const tokenModels: ReadonlyMap<string, TokenRecord["kind"]> = new Map([
  ["token_blacklist.outstandingtoken", "outstanding"],
  ["token_blacklist.blacklistedtoken", "revoked"],
]);

/** The columns of a record that joins both tables. A list of all outstanding tokens has no `blacklisted_at`. */
const joinedColumns = ["jti", "expires_at", "blacklisted_at"];

/** Returns whether a record or a CSV header with these names is about revoked tokens. */
export function isJoined(names: { readonly has: (name: string) => boolean }): boolean {
  return joinedColumns.every((name) => names.has(name));
}

/**
 * How long after its expiry a token is left out, in seconds. This is more than differences between clocks and `leeway`
 * allow for.
 */
const longExpired = 3_600;

const jti = z
  .string({ error: "must be text" })
  .regex(/^[^\0\p{Surrogate}]{1,255}$/u, { error: "must be a text of 1 to 255 characters" });
const outstandingSchema = z.object({ id, jti, expires_at: time });
const revokedSchema = z.object({ token: id });
const joinedSchema = z.object({ jti, expires_at: time });

/**
 * The result of reading a record: a revoked token, `null` if nothing is known yet, or a sentence that says why the record
 * can't be read.
 */
export type TokenAnswer = LegacyToken | { readonly fault: string } | null;

/** What is known about the revoked tokens at the end of a file. */
export interface RevokedTokenCounts {
  /** The number of revoked tokens that have expired. */
  readonly expired: number;
  /** The number of revoked tokens whose `jti` is unknown, because the file has no outstanding token for them. */
  readonly missing: number;
  /** Whether the file contains the table of outstanding tokens. */
  readonly hasOutstanding: boolean;
}

/** Reads the tokens that simplejwt has revoked. The rows can be in any order. */
export interface RevokedTokenReader {
  /** Reads the next record. */
  readonly read: (record: TokenRecord) => TokenAnswer;
  /** Returns the counts at the end of the file. */
  readonly finish: () => RevokedTokenCounts;
}

/**
 * Creates a reader. It keeps the ids and `jti`s of all tokens that haven't expired in memory, because only the other table
 * says which of them are revoked.
 *
 * @param now the current time, in whole seconds since the epoch.
 */
export function createRevokedTokenReader(now: number): RevokedTokenReader {
  const outstanding = new Map<string, LegacyToken>();
  const waiting = new Set<string>();
  let expiredOutstanding = 0;
  let hasOutstanding = false;
  let expired = 0;

  const isExpired = (expiresAt: number) => expiresAt < now - longExpired;

  function readJoined(fields: Fields): TokenAnswer {
    const row = parse(joinedSchema, fields);
    if ("fault" in row) return row;
    if (!isExpired(row.expires_at)) return { tokenId: row.jti, expiresAt: row.expires_at };
    expired += 1;
    return null;
  }

  function readOutstanding(fields: Fields): TokenAnswer {
    const row = parse(outstandingSchema, fields);
    if ("fault" in row) return row;
    hasOutstanding = true;
    const token = { tokenId: row.jti, expiresAt: row.expires_at };
    if (isExpired(row.expires_at)) {
      expiredOutstanding += 1;
      return null;
    }
    if (waiting.delete(row.id)) return token;
    outstanding.set(row.id, token);
    return null;
  }

  function readRevoked(fields: Fields): TokenAnswer {
    const row = parse(revokedSchema, fields);
    if ("fault" in row) return row;
    const token = outstanding.get(row.token);
    if (token === undefined) waiting.add(row.token);
    return token ?? null;
  }

  return {
    read({ kind, fields }) {
      if (kind === "both") return readJoined(fields);
      return kind === "outstanding" ? readOutstanding(fields) : readRevoked(fields);
    },
    finish() {
      // Of the rows that found no token, as many as can be are about expired ones.
      const missing = Math.max(0, waiting.size - expiredOutstanding);
      return { expired: expired + waiting.size - missing, missing, hasOutstanding };
    },
  };
}

function parse<S extends z.ZodObject>(schema: S, fields: Fields): z.output<S> | { readonly fault: string } {
  const parsed = schema.safeParse(Object.fromEntries(fields));
  if (parsed.success) return parsed.data;
  const [{ path, message } = { path: [], message: "" }] = parsed.error.issues;
  return { fault: `${String(path[0])} ${fields.has(String(path[0])) ? message : "is missing"}.` };
}
