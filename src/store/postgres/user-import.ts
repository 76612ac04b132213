import { StoreUnavailableError } from "../../core/errors.ts";
import type { ImportOutcome, UserStore } from "../../core/store/users.ts";
import { type Occupant, planImport } from "../import-plan.ts";
import type { AuditLog } from "./audit.ts";
import type { Connection } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";

// Held to the end of the transaction: of those who insert users, all but `ensure` wait for it.
const lockNumbers = `WITH ${clock} SELECT last, now FROM clock, tokenpair.user_numbers FOR UPDATE OF user_numbers`;

const findOccupants = `SELECT id, username_key AS "usernameKey" FROM tokenpair.users
  WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(:ids::jsonb)))
  UNION SELECT id, username_key FROM tokenpair.users
  WHERE username_key = ANY (ARRAY(SELECT jsonb_array_elements_text(:keys::jsonb)))`;

// An id that comes back after its user was deleted starts at the epoch which ended that user's tokens.
const insert = `WITH ${clock}
  INSERT INTO tokenpair.users
  (id, username, username_key, email, is_active, is_staff, epoch, password_hash, created_at, last_login_at)
  SELECT id, username, "usernameKey", email, "isActive", "isStaff",
    (SELECT coalesce(max(epoch), 0) FROM tokenpair.revocations WHERE kind = 'user' AND key = imported.id),
    "passwordHash", coalesce("createdAt", now), "lastLoginAt"
  FROM clock, jsonb_to_recordset(:users::jsonb) AS imported (position integer, id text, username text, "usernameKey" text,
    email text, "isActive" boolean, "isStaff" boolean, "passwordHash" text, "createdAt" bigint, "lastLoginAt" bigint)
  ORDER BY imported.position
  ON CONFLICT DO NOTHING RETURNING id`;

const setLastNumber = "UPDATE tokenpair.user_numbers SET last = :lastNumber::bigint";

/** `users.importBatch` over `connection`, in a handful of statements however large the batch is. */
export function createUserImport(connection: Connection, log: AuditLog): UserStore["importBatch"] {
  return (users, { dryRun = false, audit } = {}) =>
    connection.transact("users.importBatch", async ({ run }) => {
      const [numbers] = await run<{ last: number; now: number }>(lockNumbers);
      if (numbers === undefined)
        throw new StoreUnavailableError("users.importBatch: the row of user_numbers is missing");
      const { last, now } = numbers;
      const ids = toJson(users.flatMap(({ id }) => (id === undefined ? [] : [id])));
      const keys = toJson(users.map(({ usernameKey }) => usernameKey));
      const occupants = await run<Occupant>(findOccupants, { ids, keys });
      const { outcomes, inserts, lastNumber } = planImport(users, occupants, last);
      if (dryRun || inserts.length === 0) return { outcomes, now };
      const positioned = toJson(inserts.map((user, position) => ({ ...user, position })));
      const rows = await run<{ id: string }>(insert, { users: positioned });
      await run(setLastNumber, { lastNumber });
      const created = new Set(rows.map(({ id }) => id));
      // Only `ensure`, whose users have no name here, can have come in between.
      const settle = ({ outcome, userId }: ImportOutcome): ImportOutcome =>
        outcome === "created" && !created.has(userId) ? { outcome: "id_taken", userId } : { outcome, userId };
      return log.record(run, audit, { outcomes: outcomes.map(settle), now });
    });
}

/** JSON without what no text of PostgreSQL can hold: U+0000 and half a surrogate pair become U+FFFD. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item) =>
    typeof item === "string" ? item.replace(/[\0\p{Surrogate}]/gu, "\uFFFD") : item,
  );
}
