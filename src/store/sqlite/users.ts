import type { SessionAt } from "../../core/store/sessions.ts";
import type { HashFormCount, KeepSession, NewUser, UserStore } from "../../core/store/users.ts";
import type { User, UserWithPassword } from "../../core/user.ts";
import type { AuditLog } from "./audit.ts";
import type { Connection } from "./connection/connection.ts";
import type { Revocations } from "./revocations.ts";
import {
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

// An id that comes back after its user was deleted starts at the epoch which ended that user's tokens.
const insert = `INSERT INTO users
  (id, username, username_key, email, is_active, is_staff, epoch, password_hash, created_at)
  VALUES (:id, :username, :usernameKey, :email, 1, :isStaff,
    (SELECT coalesce(max(epoch), 0) FROM revocations WHERE kind = 'user' AND key = :id), :passwordHash, :now)
  RETURNING ${userColumns}`;

const list = `SELECT ${userColumns} FROM users
  WHERE position > CASE WHEN :after IS NULL THEN 0 ELSE (SELECT position FROM users WHERE id = :after) END
  ORDER BY position LIMIT :limit`;

const keep = `UPDATE sessions SET user_epoch = :epoch, generation = generation + 1,
  previous_hash = current_hash, current_hash = :nextHash, salt = NULL, attempt_hash = NULL,
  rotated_at = :now, last_used_at = :now, idle_expires_at = min(:now + :idleLifetime, absolute_expires_at)
  WHERE id = :sessionId RETURNING ${sessionColumns}`;

const changePassword = `UPDATE users SET password_hash = :passwordHash
  WHERE id = :id AND is_active = 1 AND epoch = :userEpoch AND EXISTS (
    SELECT 1 FROM sessions WHERE id = :sessionId AND user_id = :id AND user_epoch = :userEpoch AND ${isLive})`;

const update = `UPDATE users SET username = coalesce(:username, username),
  username_key = coalesce(:usernameKey, username_key), email = CASE WHEN :setEmail THEN :email ELSE email END,
  is_staff = coalesce(:isStaff, is_staff)
  WHERE id = :id RETURNING ${userColumns}`;

const replacePasswordHash = "UPDATE users SET password_hash = :to WHERE id = :id AND password_hash = :from";

const countHashForms = `SELECT CASE
    WHEN password_hash LIKE '$argon2id$v=19$%$%'
      THEN substr(password_hash, 1, length('$argon2id$v=19$') - 1 + instr(substr(password_hash, length('$argon2id$v=19$') + 1), '$'))
    WHEN instr(password_hash, '$') > 1 THEN substr(password_hash, 1, instr(password_hash, '$') - 1)
    ELSE substr(password_hash, 1, 1)
  END AS form, count(*) AS users
  FROM users WHERE password_hash IS NOT NULL GROUP BY form ORDER BY form`;

/** A user of the application's own table, whose name only the application knows. */
const nameless = { username: "", usernameKey: null, email: null, isStaff: false, passwordHash: null };

type UserFields = Omit<NewUser, "id" | "usernameKey"> & { readonly usernameKey: string | null };

/** The users in the table `users`. */
export function createUserStore(connection: Connection, revocations: Revocations, log: AuditLog): UserStore {
  function takeNextNumber(): string {
    const row = connection.prepare("UPDATE user_numbers SET last = last + 1 RETURNING last").get();
    return String(row?.["last"]);
  }

  /** Keeps `id`, where it is a number, out of the numbers to come. */
  function reserve(id: string): void {
    if (!/^[1-9]\d{0,14}$/.test(id)) return;
    connection.prepare("UPDATE user_numbers SET last = max(last, :number)").run({ number: Number(id) });
  }

  function insertUser(id: string, fields: UserFields, now: number): User {
    const { username, usernameKey, email, passwordHash } = fields;
    const isStaff = fields.isStaff ? 1 : 0;
    reserve(id);
    const row = connection.prepare(insert).get({ id, username, usernameKey, email, isStaff, passwordHash, now });
    return toUser(row as UserRow);
  }

  function findUser(id: string): User | null {
    const row = connection.prepare(find).get({ id });
    return row === undefined ? null : toUser(row as UserRow);
  }

  function findWithPassword(sql: string, parameters: Record<string, string>): UserWithPassword | null {
    const row = connection.prepare(sql).get(parameters);
    return row === undefined ? null : toUser(row as UserRow<UserWithPassword>);
  }

  function keepSession(epoch: number, { sessionId, nextHash, idleLifetime }: KeepSession, now: number): SessionAt {
    const row = connection.prepare(keep).get({ sessionId, epoch, nextHash, idleLifetime, now });
    return { session: toSession(row as SessionRow), now };
  }

  return {
    async create(user, audit) {
      return connection.write("users.create", (now) => {
        const { usernameKey } = user;
        if (findWithPassword(findByKey, { usernameKey }) !== null) return { outcome: "name_taken" };
        if (user.id !== undefined && findUser(user.id) !== null) throw new TypeError("users.create: the id is taken");
        const created = insertUser(user.id ?? takeNextNumber(), user, now);
        return { outcome: "created", user: log.record(audit, created) };
      });
    },

    importBatch: createUserImport(connection, log),

    async ensure(id) {
      const known = await connection.read("users.ensure", () => findUser(id));
      return known ?? connection.write("users.ensure", (now) => findUser(id) ?? insertUser(id, nameless, now));
    },

    async findById(id) {
      return connection.read("users.findById", () => findWithPassword(findById, { id }));
    },

    async findByKey(usernameKey) {
      return connection.read("users.findByKey", () => findWithPassword(findByKey, { usernameKey }));
    },

    async list({ after, limit }) {
      return connection.read("users.list", () => {
        const rows = connection.prepare(list).all({ after: after ?? null, limit });
        return (rows as UserRow[]).map((row) => toUser(row));
      });
    },

    async update(id, { username = null, usernameKey = null, email, isStaff }, audit) {
      return connection.write("users.update", (now) => {
        const holder = usernameKey === null ? null : findWithPassword(findByKey, { usernameKey });
        if (holder !== null && holder.id !== id) return { outcome: "name_taken" };
        const staffPatch = isStaff === undefined ? null : Number(isStaff);
        const emailPatch = { setEmail: Number(email !== undefined), email: email ?? null };
        const row = connection.prepare(update).get({ id, username, usernameKey, isStaff: staffPatch, ...emailPatch });
        if (row === undefined) return null;
        return log.record(audit, { outcome: "updated", user: toUser(row as UserRow), now } as const);
      });
    },

    async disable(id, audit) {
      return connection.write("users.disable", (now) => {
        connection.prepare("UPDATE users SET is_active = 0 WHERE id = :id").run({ id });
        return log.record(audit, revocations.raiseEpoch(id, { reason: "user_disabled", now })?.revoked ?? null);
      });
    },

    async enable(id, audit) {
      return connection.write("users.enable", (now) => {
        const { changes } = connection.prepare("UPDATE users SET is_active = 1 WHERE id = :id").run({ id });
        return log.record(audit, changes === 1 ? { now } : null);
      });
    },

    async setPassword(id, passwordHash, audit) {
      return connection.write("users.setPassword", (now) => {
        connection.prepare("UPDATE users SET password_hash = :passwordHash WHERE id = :id").run({ id, passwordHash });
        return log.record(audit, revocations.raiseEpoch(id, { reason: "password_changed", now })?.revoked ?? null);
      });
    },

    async replacePasswordHash(id, { from, to }, audit) {
      return connection.write("users.replacePasswordHash", (now) => {
        const { changes } = connection.prepare(replacePasswordHash).run({ id, from, to });
        return log.record(audit, changes === 1 ? { now } : null);
      });
    },

    async changePassword(id, passwordHash, kept, audit) {
      return connection.write("users.changePassword", (now) => {
        const { sessionId, userEpoch } = kept;
        const parameters = { id, passwordHash, sessionId, userEpoch, now };
        if (connection.prepare(changePassword).run(parameters).changes === 0) return null;
        const raised = revocations.raiseEpoch(id, { reason: "password_changed", now }, sessionId);
        if (raised === null) return null;
        return { ...log.record(audit, raised.revoked), ...keepSession(raised.epoch, kept, now) };
      });
    },

    async countHashForms() {
      return connection.read("users.countHashForms", () => {
        return connection.prepare(countHashForms).all() as unknown as HashFormCount[];
      });
    },

    async delete(id, audit) {
      return connection.write("users.delete", (now) => {
        const raised = revocations.raiseEpoch(id, { reason: "user_deleted", now });
        connection.prepare("DELETE FROM users WHERE id = :id").run({ id });
        return log.record(audit, raised?.revoked ?? null);
      });
    },
  };
}
