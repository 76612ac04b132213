import { z } from "zod";
import type { LegacyToken } from "../../core/store/legacy.ts";
import type { Fields } from "./fields.ts";
import { id, time } from "./user-fields.ts";

/**
 * A record about a token of simplejwt. `outstanding`: a row of the table of all tokens. `blacklisted`: a row of the blacklist,
 * which refers to one of them. `both`: a row that joins the two.
 */
export interface TokenRecord {
  readonly kind: "outstanding" | "blacklisted" | "both";
  readonly fields: Fields;
}

/** The models of simplejwt's blacklist in the output of Django's dumpdata, in lower case. */
export const tokenModels: ReadonlyMap<string, TokenRecord["kind"]> = new Map([
  ["token_blacklist.outstandingtoken", "outstanding"],
  ["token_blacklist.blacklistedtoken", "blacklisted"],
]);

/** The columns of a record that joins both tables. A list of all outstanding tokens has no `blacklisted_at`. */
const joinedColumns = ["jti", "expires_at", "blacklisted_at"];

/** Returns whether a record or a CSV header with these names is about tokens that are blacklisted. */
export function isJoined(names: { readonly has: (name: string) => boolean }): boolean {
  return joinedColumns.every((name) => names.has(name));
}

/** Seconds after which an expired token is left out: more than clocks and `leeway` allow for. */
const longExpired = 3_600;

const jti = z
  .string({ error: "must be text" })
  .regex(/^[^\0\p{Surrogate}]{1,255}$/u, { error: "must be a text of 1 to 255 characters" });
const outstandingSchema = z.object({ id, jti, expires_at: time });
const blacklistedSchema = z.object({ token: id });
const joinedSchema = z.object({ jti, expires_at: time });

/** What a record yields: a blacklisted token, nothing yet, or why it can't be read, as a sentence. */
export type TokenAnswer = LegacyToken | { readonly fault: string } | null;

/** Reads simplejwt's blacklist, in any order of its rows. */
export interface BlacklistReader {
  /** Reads the next record. */
  readonly read: (record: TokenRecord) => TokenAnswer;
  /** Returns how many blacklisted tokens have expired, and of how many the file has no outstanding token. */
  readonly finish: () => { readonly expired: number; readonly missing: number };
}

/**
 * Creates a reader. It holds the ids and `jti`s of all tokens that haven't expired in memory, because only the other table says
 * which of them are blacklisted.
 *
 * @param now whole seconds since the epoch.
 */
export function createBlacklistReader(now: number): BlacklistReader {
  const outstanding = new Map<string, LegacyToken>();
  const waiting = new Set<string>();
  let expiredOutstanding = 0;
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
    const token = { tokenId: row.jti, expiresAt: row.expires_at };
    if (isExpired(row.expires_at)) {
      expiredOutstanding += 1;
      return null;
    }
    if (waiting.delete(row.id)) return token;
    outstanding.set(row.id, token);
    return null;
  }

  function readBlacklisted(fields: Fields): TokenAnswer {
    const row = parse(blacklistedSchema, fields);
    if ("fault" in row) return row;
    const token = outstanding.get(row.token);
    if (token === undefined) waiting.add(row.token);
    return token ?? null;
  }

  return {
    read({ kind, fields }) {
      if (kind === "both") return readJoined(fields);
      return kind === "outstanding" ? readOutstanding(fields) : readBlacklisted(fields);
    },
    finish() {
      // Of the rows that found no token, as many as can be are about expired ones.
      const missing = Math.max(0, waiting.size - expiredOutstanding);
      return { expired: expired + waiting.size - missing, missing };
    },
  };
}

function parse<S extends z.ZodObject>(schema: S, fields: Fields): z.output<S> | { readonly fault: string } {
  const parsed = schema.safeParse(Object.fromEntries(fields));
  if (parsed.success) return parsed.data;
  const [{ path, message } = { path: [], message: "" }] = parsed.error.issues;
  return { fault: `${String(path[0])} ${fields.has(String(path[0])) ? message : "is missing"}.` };
}
