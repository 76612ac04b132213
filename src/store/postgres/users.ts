import { StoreUnavailableError } from "../../core/errors.ts";
import type { HashFormCount, NewUser, UserStore } from "../../core/store/users.ts";
import type { User, UserWithPassword } from "../../core/user.ts";
import type { AuditLog } from "./audit.ts";
import type { Connection, Run } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import type { Revocations } from "./revocations.ts";
import { isLive, type SessionRow, sessionColumns, toSession, userColumns, userWithPasswordColumns } from "./rows.ts";
import { createUserImport } from "./user-import.ts";

const find = `SELECT ${userColumns} FROM tokenpair.users WHERE id = :id`;
const findById = `SELECT ${userWithPasswordColumns} FROM tokenpair.users WHERE id = :id`;
const findByKey = `SELECT ${userWithPasswordColumns} FROM tokenpair.users WHERE username_key = :usernameKey`;

const lockNumbers = "SELECT last FROM tokenpair.user_numbers FOR UPDATE";
const reserveNumber = "UPDATE tokenpair.user_numbers SET last = greatest(last, :number::bigint)";

// An id that comes back after its user was deleted starts at the epoch which revoked that user's tokens.
const insert = `WITH ${clock}
  INSERT INTO tokenpair.users
  (id, username, username_key, email, is_active, is_staff, epoch, password_hash, created_at)
  SELECT :id, :username, :usernameKey, :email, true, :isStaff::boolean,
    (SELECT coalesce(max(epoch), 0) FROM tokenpair.revocations WHERE kind = 'user' AND key = :id), :passwordHash, now
  FROM clock
  ON CONFLICT (id) DO NOTHING RETURNING ${userColumns}`;

const list = `SELECT ${userColumns} FROM tokenpair.users
  WHERE position > CASE WHEN :after::text IS NULL THEN 0 ELSE (SELECT position FROM tokenpair.users WHERE id = :after) END
  ORDER BY position LIMIT :limit`;

// The lock on the numbers also orders those who want one name.
const update = `WITH ${clock}
  UPDATE tokenpair.users SET username = coalesce(:username, username), username_key = coalesce(:usernameKey, username_key),
    email = CASE WHEN :setEmail::boolean THEN :email ELSE email END, is_staff = coalesce(:isStaff::boolean, is_staff)
  FROM clock WHERE id = :id RETURNING ${userColumns}, now`;

const enable = `WITH ${clock} UPDATE tokenpair.users SET is_active = true FROM clock WHERE id = :id RETURNING now`;

const replacePasswordHash = `WITH ${clock}
  UPDATE tokenpair.users SET password_hash = :to FROM clock WHERE id = :id AND password_hash = :from RETURNING now`;

const countHashForms = `SELECT CASE
    WHEN password_hash LIKE '$argon2id$v=19$%$%' THEN '$argon2id$v=19$' || split_part(password_hash, '$', 4)
    WHEN strpos(password_hash, '$') > 1 THEN split_part(password_hash, '$', 1)
    ELSE left(password_hash, 1)
  END COLLATE "C" AS form, count(*)::integer AS users
  FROM tokenpair.users WHERE password_hash IS NOT NULL GROUP BY form ORDER BY form`;

// Holds the user and the session, so that neither is revoked by others before it goes on.
const lockCaller = `WITH ${clock}
  SELECT FROM clock, tokenpair.users, tokenpair.sessions
  WHERE users.id = :id AND is_active AND epoch = :userEpoch::bigint
    AND sessions.id = :sessionId AND user_id = users.id AND user_epoch = epoch AND ${isLive}
  FOR UPDATE OF users, sessions`;

const keep = `WITH ${clock}
  UPDATE tokenpair.sessions SET user_epoch = :epoch::integer, generation = generation + 1,
    previous_hash = current_hash, current_hash = :nextHash, salt = NULL, attempt_hash = NULL,
    rotated_at = now, last_used_at = now, idle_expires_at = least(now + :idleLifetime::bigint, absolute_expires_at)
  FROM clock WHERE id = :sessionId RETURNING ${sessionColumns}, now`;

/** A user of the application's own table, whose name only the application knows. */
const nameless = { username: "", usernameKey: null, email: null, isStaff: false, passwordHash: null };

type UserFields = Omit<NewUser, "id" | "usernameKey"> & { readonly usernameKey: string | null };

/** The users in the table `users`. */
export function createUserStore(connection: Connection, revocations: Revocations, log: AuditLog): UserStore {
  async function first<Row extends object>(operation: string, sql: string, parameters: Record<string, string>) {
    const [row] = await connection.run<Row>(operation, sql, parameters);
    return row ?? null;
  }

  /** `null`: the id is taken. */
  async function insertUser(run: Run, id: string, fields: UserFields): Promise<User | null> {
    // Keeps the id, where it is a number, out of the numbers to come.
    if (/^[1-9]\d{0,14}$/.test(id)) await run(reserveNumber, { number: Number(id) });
    const { username, usernameKey, email, isStaff, passwordHash } = fields;
    const [user] = await run<User>(insert, { id, username, usernameKey, email, isStaff, passwordHash });
    return user ?? null;
  }

  return {
    create: (user, audit) =>
      connection.transact("users.create", async ({ run }) => {
        const [numbers] = await run<{ last: number }>(lockNumbers);
        const { usernameKey } = user;
        if ((await run(findByKey, { usernameKey })).length > 0) return { outcome: "name_taken" };
        const number = (numbers?.last ?? 0) + 1;
        if (user.id === undefined) await run(reserveNumber, { number });
        const id = user.id ?? String(number);
        const created = await insertUser(run, id, user);
        if (created === null) throw new TypeError("users.create: the id is taken");
        return { outcome: "created", user: await log.record(run, audit, created) };
      }),

    importBatch: createUserImport(connection, log),

    async ensure(id) {
      const known = await first<User>("users.ensure", find, { id });
      if (known !== null) return known;
      return connection.transact("users.ensure", async ({ run }) => {
        const created = await insertUser(run, id, nameless);
        if (created !== null) return created;
        const [user] = await run<User>(find, { id });
        if (user === undefined) throw new StoreUnavailableError("users.ensure: the user was deleted just now");
        return user;
      });
    },

    findById: (id) => first<UserWithPassword>("users.findById", findById, { id }),

    findByKey: (usernameKey) => first<UserWithPassword>("users.findByKey", findByKey, { usernameKey }),

    list: ({ after, limit }) => connection.run<User>("users.list", list, { after: after ?? null, limit }),

    update: (id, { username = null, usernameKey = null, email, isStaff = null }, audit) =>
      connection.transact("users.update", async ({ run }) => {
        if (usernameKey !== null) {
          await run(lockNumbers);
          const [holder] = await run<User>(findByKey, { usernameKey });
          if (holder !== undefined && holder.id !== id) return { outcome: "name_taken" };
        }
        const emailPatch = { setEmail: email !== undefined, email: email ?? null };
        const [row] = await run<User & { now: number }>(update, { id, username, usernameKey, isStaff, ...emailPatch });
        if (row === undefined) return null;
        const { now, ...user } = row;
        return log.record(run, audit, { outcome: "updated", user, now } as const);
      }),

    disable: (id, audit) =>
      connection.transact("users.disable", async (transaction) => {
        const raised = await revocations.raiseEpoch(transaction, id, "user_disabled", { disable: true });
        return log.record(transaction.run, audit, raised?.revoked ?? null);
      }),

    enable: (id, audit) =>
      connection.transact("users.enable", async ({ run }) => {
        const [enabled] = await run<{ now: number }>(enable, { id });
        return log.record(run, audit, enabled ?? null);
      }),

    setPassword: (id, passwordHash, audit) =>
      connection.transact("users.setPassword", async (transaction) => {
        const raised = await revocations.raiseEpoch(transaction, id, "password_changed", { passwordHash });
        return log.record(transaction.run, audit, raised?.revoked ?? null);
      }),

    replacePasswordHash: (id, { from, to }, audit) =>
      connection.transact("users.replacePasswordHash", async ({ run }) => {
        const [replaced] = await run<{ now: number }>(replacePasswordHash, { id, from, to });
        return log.record(run, audit, replaced ?? null);
      }),

    changePassword: (id, passwordHash, { sessionId, userEpoch, nextHash, idleLifetime }, audit) =>
      connection.transact("users.changePassword", async (transaction) => {
        const { run } = transaction;
        if ((await run(lockCaller, { id, userEpoch, sessionId })).length === 0) return null;
        const change = { passwordHash, except: sessionId };
        const raised = await revocations.raiseEpoch(transaction, id, "password_changed", change);
        if (raised === null) return null;
        const { epoch, now, revoked } = raised;
        const kept = toSession(await run<SessionRow>(keep, { sessionId, epoch, nextHash, idleLifetime, now }));
        return kept === null ? null : { ...(await log.record(run, audit, revoked)), ...kept };
      }),

    countHashForms: () => connection.run<HashFormCount>("users.countHashForms", countHashForms, {}),

    delete: (id, audit) =>
      connection.transact("users.delete", async (transaction) => {
        const raised = await revocations.raiseEpoch(transaction, id, "user_deleted");
        await transaction.run("DELETE FROM tokenpair.users WHERE id = :id", { id });
        return log.record(transaction.run, audit, raised?.revoked ?? null);
      }),
  };
}
