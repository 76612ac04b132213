import { StoreUnavailableError } from "../../core/errors.ts";
import type { ImportOutcome, UserStore } from "../../core/store/users.ts";
import { type ExistingUser, planImport } from "../import-plan.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { firstEpoch } from "./rows.ts";

// Held until the transaction ends. Every insert of users waits for it, except `ensure`.
const lockNumbers = `WITH ${clock} SELECT last, now FROM clock, tokenpair.user_numbers FOR UPDATE OF user_numbers`;

const findExisting = `SELECT id, username_key AS "usernameKey" FROM tokenpair.users
  WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(:ids::jsonb)))
  UNION SELECT id, username_key FROM tokenpair.users
  WHERE username_key = ANY (ARRAY(SELECT jsonb_array_elements_text(:keys::jsonb)))`;

const insert = `WITH ${clock}
  INSERT INTO tokenpair.users
  (id, username, username_key, email, is_active, is_staff, role, epoch, password_hash, created_at, last_login_at, imported)
  SELECT id, username, "usernameKey", email, "isActive", role IS NOT NULL, role,
    ${firstEpoch("imported.id")},
    "passwordHash", coalesce("createdAt", now), "lastLoginAt", "isImported"
  FROM clock, jsonb_to_recordset(:users::jsonb) AS imported (position integer, id text, username text, "usernameKey" text,
    email text, "isActive" boolean, role text, "passwordHash" text, "createdAt" bigint, "lastLoginAt" bigint, "isImported" boolean)
  ORDER BY imported.position
  ON CONFLICT DO NOTHING RETURNING id`;

// Those that were created by an earlier version, or here before the import.
const markImported = `UPDATE tokenpair.users SET imported = true
  WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(:ids::jsonb))) AND NOT imported`;

const setLastNumber = "UPDATE tokenpair.user_numbers SET last = :lastNumber::bigint";

/** Creates `users.importBatch`. It runs the same small number of statements for a batch of any size. */
export function createUserImport(connection: PostgresConnection): UserStore["importBatch"] {
  return (users, { dryRun = false, audit } = {}) =>
    connection.transact("users.importBatch", async ({ run }) => {
      const [numbers] = await run<{ last: number; now: number }>(lockNumbers);
      if (numbers === undefined) {
        throw new StoreUnavailableError(
          "users.importBatch: the table user_numbers has no row: restore it from a backup",
        );
      }
      const { last, now } = numbers;
      const ids = toJson(users.flatMap(({ id }) => (id === undefined ? [] : [id])));
      const keys = toJson(users.map(({ usernameKey }) => usernameKey));
      const existing = await run<ExistingUser>(findExisting, { ids, keys });
      const { outcomes, inserts, sameIds, lastNumber } = planImport(users, existing, last);
      if (!dryRun && sameIds.length > 0) await run(markImported, { ids: toJson(sameIds) });
      if (dryRun || inserts.length === 0) return { outcomes, now };
      const positioned = toJson(inserts.map((user, position) => ({ ...user, position })));
      const rows = await run<{ id: string }>(insert, { users: positioned });
      await run(setLastNumber, { lastNumber });
      const created = new Set(rows.map(({ id }) => id));
      // Only `ensure` can have inserted a user meanwhile, and its users have no names here.
      const settle = ({ outcome, userId }: ImportOutcome): ImportOutcome =>
        outcome === "created" && !created.has(userId) ? { outcome: "id_taken", userId } : { outcome, userId };
      return recordChange(run, audit, { outcomes: outcomes.map(settle), now });
    });
}

/**
 * Converts a value to JSON. Replaces characters that PostgreSQL can't store in texts, U+0000 and lone surrogates, with
 * U+FFFD.
 */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    typeof item === "string" ? item.replace(/[\0\p{Surrogate}]/gu, "\uFFFD") : item,
  );
}
