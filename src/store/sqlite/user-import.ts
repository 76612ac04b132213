import type { UserStore } from "../../core/store/users.ts";
import { type ExistingUser, planImport } from "../import-plan.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { firstEpoch } from "./rows.ts";

const findExisting = `SELECT id, username_key AS usernameKey FROM users
  WHERE id = :id OR username_key = :usernameKey`;

const insert = `INSERT INTO users
  (id, username, username_key, email, is_active, is_staff, role, epoch, password_hash, created_at, last_login_at, imported)
  VALUES (:id, :username, :usernameKey, :email, :isActive, :role IS NOT NULL, :role,
    ${firstEpoch},
    :passwordHash, coalesce(:createdAt, :now), :lastLoginAt, :imported)`;

const markImported = "UPDATE users SET imported = 1 WHERE id = :id AND imported = 0";

/** Creates `users.importBatch`. The write lock prevents other writes between the read and the inserts. */
export function createUserImport(connection: SqliteConnection): UserStore["importBatch"] {
  return (users, { dryRun = false, audit } = {}) => {
    const transact = dryRun ? connection.read : connection.write;
    return transact("users.importBatch", (now) => {
      const existing = users.flatMap(({ id, usernameKey }) => {
        return connection.all<ExistingUser>(findExisting, { id: id ?? null, usernameKey });
      });
      const last = connection.prepare("SELECT last FROM user_numbers").get()?.["last"];
      const { outcomes, inserts, sameIds, lastNumber } = planImport(users, existing, Number(last));
      if (dryRun) return { outcomes, now };
      for (const { id, username, usernameKey, email, role, passwordHash, createdAt, lastLoginAt, ...user } of inserts) {
        const flags = {
          isActive: toBit(user.isActive),
          imported: toBit(user.isImported),
        };
        const row = { id, username, usernameKey, email, role, passwordHash, createdAt, lastLoginAt, now };
        connection.prepare(insert).run({ ...row, ...flags });
      }
      // Those that were created by an earlier version, or here before the import.
      for (const id of sameIds) connection.prepare(markImported).run({ id });
      connection.prepare("UPDATE user_numbers SET last = :lastNumber").run({ lastNumber });
      return recordChange(connection, audit, { outcomes, now });
    });
  };
}

const toBit = (flag: boolean) => (flag ? 1 : 0);
