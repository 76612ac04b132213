import type { SessionAt } from "../../core/store/sessions.ts";
import type { HashFormCount, KeepSession, UserStore } from "../../core/store/users.ts";
import type { User, UserWithPassword } from "../../core/user.ts";
import { externalUser, type UserFields } from "../external-user.ts";
import { toUserNumber } from "../user-number.ts";
import { recordChange } from "./audit.ts";
import type { SqliteConnection } from "./connection/connection.ts";
import { requireAllowed } from "./guard.ts";
import { readGlobalEpoch } from "./installation.ts";
import type { Revocations } from "./revocations.ts";
import {
  firstEpoch,
  isLive,
  type SessionRow,
  sessionColumns,
  toSession,
  toUser,
  type UserRow,
  userColumns,
  userWithPasswordColumns,
} from "./rows.ts";
import { createUserImport } from "./user-import.ts";

const find = `SELECT ${userColumns} FROM users WHERE id = :id`;
const findById = `SELECT ${userWithPasswordColumns} FROM users WHERE id = :id`;
const findByKey = `SELECT ${userWithPasswordColumns} FROM users WHERE username_key = :usernameKey`;

const insert = `INSERT INTO users
  (id, username, username_key, email, is_active, is_staff, role, epoch, password_hash, created_at)
  VALUES (:id, :username, :usernameKey, :email, 1, :role IS NOT NULL, :role,
    ${firstEpoch}, :passwordHash, :now)
  RETURNING ${userColumns}`;

const list = `SELECT ${userColumns} FROM users
  WHERE position > CASE WHEN :after IS NULL THEN 0 ELSE (SELECT position FROM users WHERE id = :after) END
  ORDER BY position LIMIT :limit`;

const keepSession = `UPDATE sessions SET user_epoch = :epoch, generation = generation + 1,
  previous_hash = current_hash, current_hash = :nextHash, salt = NULL, attempt_hash = NULL,
  rotated_at = :now, last_used_at = :now, idle_expires_at = min(:now + :idleLifetime, absolute_expires_at),
  least_epoch = :epoch, change_hash = :changeHash,
  access_until = max(coalesce(access_until, 0), min(:now + :accessLifetime, absolute_expires_at))
  WHERE id = :sessionId RETURNING ${sessionColumns}`;

const changePassword = `UPDATE users SET password_hash = :passwordHash
  WHERE id = :id AND is_active = 1 AND epoch = :userEpoch AND EXISTS (
    SELECT 1 FROM sessions WHERE id = :sessionId AND user_id = :id AND user_epoch = :userEpoch AND ${isLive})`;

const patchable = "(username, username_key, email, is_staff, role)";
const patched = `(coalesce(:username, username), coalesce(:usernameKey, username_key),
  CASE WHEN :setEmail THEN :email ELSE email END, 
  CASE WHEN :setRole THEN :role IS NOT NULL ELSE is_staff END, CASE WHEN :setRole THEN :role ELSE role END)`;

const update = `UPDATE users SET ${patchable} = ${patched}
  WHERE id = :id AND ${patchable} IS NOT ${patched} RETURNING ${userColumns}`;

const replacePasswordHash = "UPDATE users SET password_hash = :to WHERE id = :id AND password_hash = :from";

const countHashForms = `SELECT CASE
    WHEN password_hash LIKE '$argon2id$v=19$%$%'
      THEN substr(password_hash, 1, length('$argon2id$v=19$') - 1 + instr(substr(password_hash, length('$argon2id$v=19$') + 1), '$'))
    WHEN instr(password_hash, '$') > 1 THEN substr(password_hash, 1, instr(password_hash, '$') - 1)
    ELSE substr(password_hash, 1, 1)
  END AS form, count(*) AS users
  FROM users WHERE password_hash IS NOT NULL GROUP BY form ORDER BY form`;

/** Creates the store of the table `users`. */
export function createUserStore(connection: SqliteConnection, revocations: Revocations): UserStore {
  function takeNextNumber(): string {
    const row = connection.prepare("UPDATE user_numbers SET last = last + 1 RETURNING last").get();
    return String(row?.["last"]);
  }

  /** Ensures that `id` will never be generated as an id. */
  function reserveNumber(id: string): void {
    const number = toUserNumber(id);
    if (number === null) return;
    connection.prepare("UPDATE user_numbers SET last = max(last, :number)").run({ number });
  }

  function insertUser(id: string, fields: UserFields, now: number): User {
    const { username, usernameKey, email, role, passwordHash } = fields;
    reserveNumber(id);
    const row = connection.get<UserRow>(insert, { id, username, usernameKey, email, role, passwordHash, now });
    return toUser(row as UserRow);
  }

  function findUser(id: string): User | null {
    const row = connection.get<UserRow>(find, { id });
    return row === undefined ? null : toUser(row);
  }

  function findWithPassword(sql: string, parameters: Record<string, string>): UserWithPassword | null {
    const row = connection.get<UserRow<UserWithPassword>>(sql, parameters);
    return row === undefined ? null : toUser(row);
  }

  function moveToEpoch(epoch: number, { userEpoch: _, ...keep }: KeepSession, now: number): SessionAt {
    const row = connection.get<SessionRow>(keepSession, { ...keep, epoch, now });
    return { session: toSession(row as SessionRow), now, globalEpoch: readGlobalEpoch(connection) };
  }

  return {
    async create(user, audit, guard) {
      return connection.write("users.create", (now) => {
        requireAllowed(connection, guard);
        const { usernameKey } = user;
        if (findWithPassword(findByKey, { usernameKey }) !== null) return { outcome: "name_taken" };
        if (user.id !== undefined && findUser(user.id) !== null)
          throw new TypeError("users.create: the id is taken: leave `id` out to get the next number");
        const created = insertUser(user.id ?? takeNextNumber(), user, now);
        return { outcome: "created", user: recordChange(connection, audit, created) };
      });
    },

    importBatch: createUserImport(connection),

    async ensure(id) {
      const existing = await connection.read("users.ensure", () => findUser(id));
      if (existing !== null) return existing;
      return connection.write("users.ensure", (now) => findUser(id) ?? insertUser(id, externalUser, now));
    },

    async findById(id) {
      return connection.read("users.findById", () => findWithPassword(findById, { id }));
    },

    async findByKey(usernameKey) {
      return connection.read("users.findByKey", () => findWithPassword(findByKey, { usernameKey }));
    },

    async list({ after, limit }) {
      return connection.read("users.list", () => {
        return connection.all<UserRow>(list, { after: after ?? null, limit }).map((row) => toUser(row));
      });
    },

    async update(id, { username = null, usernameKey = null, email, role }, { audit, guard } = {}) {
      return connection.write("users.update", (now) => {
        requireAllowed(connection, guard);
        const user = findUser(id);
        if (user === null) return null;
        const owner = usernameKey === null ? null : findWithPassword(findByKey, { usernameKey });
        if (owner !== null && owner.id !== id) return { outcome: "name_taken" };
        const emailPatch = { setEmail: Number(email !== undefined), email: email ?? null };
        const rolePatch = { setRole: Number(role !== undefined), role: role ?? null };
        const row = connection.get<UserRow>(update, { id, username, usernameKey, ...emailPatch, ...rolePatch });
        if (row === undefined) return { outcome: "unchanged", user, now };
        return recordChange(connection, audit, { outcome: "updated", user: toUser(row), now } as const);
      });
    },

    async disable(id, { audit, confirm, guard } = {}) {
      return connection.write("users.disable", (now) => {
        requireAllowed(connection, guard);
        const disabled = connection.prepare("UPDATE users SET is_active = 0 WHERE id = :id AND is_active = 1");
        const { changes } = disabled.run({ id });
        const revoked = revocations.raiseEpoch(id, { reason: "user_disabled", now, confirm })?.revoked ?? null;
        if (revoked !== null && changes === 0) return { ...revoked, wasDisabled: true };
        return recordChange(connection, audit, revoked);
      });
    },

    async enable(id, { audit, guard } = {}) {
      return connection.write("users.enable", (now) => {
        requireAllowed(connection, guard);
        const enabled = connection.prepare("UPDATE users SET is_active = 1 WHERE id = :id AND is_active = 0");
        if (enabled.run({ id }).changes === 1) return recordChange(connection, audit, { now });
        return findUser(id) === null ? null : { now, wasEnabled: true };
      });
    },

    async setPassword(id, passwordHash, { audit, confirm, guard } = {}) {
      return connection.write("users.setPassword", (now) => {
        requireAllowed(connection, guard);
        connection.prepare("UPDATE users SET password_hash = :passwordHash WHERE id = :id").run({ id, passwordHash });
        return recordChange(
          connection,
          audit,
          revocations.raiseEpoch(id, { reason: "password_changed", now, confirm })?.revoked ?? null,
        );
      });
    },

    async replacePasswordHash(id, { from, to }, audit) {
      return connection.write("users.replacePasswordHash", (now) => {
        const { changes } = connection.prepare(replacePasswordHash).run({ id, from, to });
        return recordChange(connection, audit, changes === 1 ? { now } : null);
      });
    },

    async changePassword(id, passwordHash, kept, { audit, confirm } = {}) {
      return connection.write("users.changePassword", (now) => {
        const { sessionId, userEpoch } = kept;
        const parameters = { id, passwordHash, sessionId, userEpoch, now };
        if (connection.prepare(changePassword).run(parameters).changes === 0) return null;
        const raised = revocations.raiseEpoch(id, { reason: "password_changed", now, confirm }, sessionId);
        if (raised === null) return null;
        return { ...recordChange(connection, audit, raised.revoked), ...moveToEpoch(raised.epoch, kept, now) };
      });
    },

    async replaceUsernameKey(id, { from, to }) {
      return connection.write("users.replaceUsernameKey", () => {
        if (findWithPassword(findByKey, { usernameKey: from })?.id !== id) return "unchanged";
        if (findWithPassword(findByKey, { usernameKey: to }) !== null) return "taken";
        connection.prepare("UPDATE users SET username_key = :to WHERE id = :id").run({ id, to });
        return "replaced";
      });
    },

    async countHashForms() {
      return connection.read("users.countHashForms", () => {
        return connection.all<HashFormCount>(countHashForms);
      });
    },

    async delete(id, { audit, confirm, guard } = {}) {
      return connection.write("users.delete", (now) => {
        requireAllowed(connection, guard);
        const raised = revocations.raiseEpoch(id, { reason: "user_deleted", now, confirm });
        connection.prepare("DELETE FROM users WHERE id = :id").run({ id });
        return recordChange(connection, audit, raised?.revoked ?? null);
      });
    },
  };
}
