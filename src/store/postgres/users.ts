import { StoreUnavailableError } from "../../core/errors.ts";
import type { HashFormCount, UserStore } from "../../core/store/users.ts";
import type { User, UserWithPassword } from "../../core/user.ts";
import { externalUser, type UserFields } from "../external-user.ts";
import { toUserNumber } from "../user-number.ts";
import { recordChange } from "./audit.ts";
import type { PostgresConnection, Run } from "./connection/connection.ts";
import { clock } from "./connection/statement.ts";
import { requireAllowed } from "./guard.ts";
import type { Revocations } from "./revocations.ts";
import {
  firstEpoch,
  globalEpoch,
  isLive,
  type SessionRow,
  sessionColumns,
  toSessionAt,
  userColumns,
  userWithPasswordColumns,
} from "./rows.ts";
import { createUserImport } from "./user-import.ts";

const find = `SELECT ${userColumns} FROM tokenpair.users WHERE id = :id`;
const findById = `SELECT ${userWithPasswordColumns} FROM tokenpair.users WHERE id = :id`;
const findByKey = `SELECT ${userWithPasswordColumns} FROM tokenpair.users WHERE username_key = :usernameKey`;

const lockNumbers = "SELECT last FROM tokenpair.user_numbers FOR UPDATE";
const reserveNumber = "UPDATE tokenpair.user_numbers SET last = greatest(last, :number::bigint)";

const insert = `WITH ${clock}
  INSERT INTO tokenpair.users
  (id, username, username_key, email, is_active, is_staff, role, epoch, password_hash, created_at)
  SELECT :id, :username, :usernameKey, :email, true, :role::text IS NOT NULL, :role::text,
    ${firstEpoch(":id")}, :passwordHash, now
  FROM clock
  ON CONFLICT (id) DO NOTHING RETURNING ${userColumns}`;

const list = `SELECT ${userColumns} FROM tokenpair.users
  WHERE position > CASE WHEN :after::text IS NULL THEN 0 ELSE (SELECT position FROM tokenpair.users WHERE id = :after) END
  ORDER BY position LIMIT :limit`;

const patchable = "(username, username_key, email, is_staff, role)";
const patched = `(coalesce(:username, username), coalesce(:usernameKey, username_key),
    CASE WHEN :setEmail::boolean THEN :email ELSE email END, 
    CASE WHEN :setRole::boolean THEN :role::text IS NOT NULL ELSE is_staff END,
    CASE WHEN :setRole::boolean THEN :role ELSE role END)`;

const update = `WITH ${clock} UPDATE tokenpair.users SET ${patchable} = ${patched}
  FROM clock WHERE id = :id AND ${patchable} IS DISTINCT FROM ${patched} RETURNING ${userColumns}, now`;

const lockUser = `WITH ${clock}
  SELECT ${userColumns}, now FROM clock, tokenpair.users WHERE id = :id FOR NO KEY UPDATE OF users`;

const enable = `WITH ${clock} UPDATE tokenpair.users SET is_active = true FROM clock WHERE id = :id RETURNING now`;

const replacePasswordHash = `WITH ${clock}
  UPDATE tokenpair.users SET password_hash = :to FROM clock WHERE id = :id AND password_hash = :from RETURNING now`;

const countHashForms = `SELECT CASE
    WHEN password_hash LIKE '$argon2id$v=19$%$%' THEN '$argon2id$v=19$' || split_part(password_hash, '$', 4)
    WHEN strpos(password_hash, '$') > 1 THEN split_part(password_hash, '$', 1)
    ELSE left(password_hash, 1)
  END COLLATE "C" AS form, count(*)::integer AS users
  FROM tokenpair.users WHERE password_hash IS NOT NULL GROUP BY form ORDER BY form`;

// Locks the user and the session, so that no other transaction revokes them meanwhile.
const lockCaller = `WITH ${clock}
  SELECT FROM clock, tokenpair.users, tokenpair.sessions
  WHERE users.id = :id AND is_active AND epoch = :userEpoch::bigint
    AND sessions.id = :sessionId AND user_id = users.id AND user_epoch = epoch AND ${isLive}
  FOR UPDATE OF users, sessions`;

const keepSession = `WITH ${clock}
  UPDATE tokenpair.sessions SET user_epoch = :epoch::integer, generation = generation + 1,
    previous_hash = current_hash, current_hash = :nextHash, salt = NULL, attempt_hash = NULL,
    rotated_at = now, last_used_at = now, idle_expires_at = least(now + :idleLifetime::bigint, absolute_expires_at),
    least_epoch = :epoch::integer, change_hash = :changeHash,
    access_until = greatest(access_until, least(now + :accessLifetime::bigint, absolute_expires_at))
  FROM clock WHERE id = :sessionId RETURNING ${sessionColumns}, now, ${globalEpoch} AS "globalEpoch"`;

/** Creates the store of the table `users`. */
export function createUserStore(connection: PostgresConnection, revocations: Revocations): UserStore {
  async function findFirst<Row extends object>(operation: string, sql: string, parameters: Record<string, string>) {
    const [row] = await connection.run<Row>(operation, sql, parameters);
    return row ?? null;
  }

  /** Inserts a user. Returns `null` if the id is taken. */
  async function insertUser(run: Run, id: string, fields: UserFields): Promise<User | null> {
    const number = toUserNumber(id);
    if (number !== null) await run(reserveNumber, { number });
    const { username, usernameKey, email, role, passwordHash } = fields;
    const [user] = await run<User>(insert, { id, username, usernameKey, email, role, passwordHash });
    return user ?? null;
  }

  return {
    create: (user, audit, guard) =>
      connection.transact("users.create", async ({ run }) => {
        await requireAllowed(run, guard);
        const [numbers] = await run<{ last: number }>(lockNumbers);
        const { usernameKey } = user;
        if ((await run(findByKey, { usernameKey })).length > 0) return { outcome: "name_taken" };
        const number = (numbers?.last ?? 0) + 1;
        if (user.id === undefined) await run(reserveNumber, { number });
        const id = user.id ?? String(number);
        const created = await insertUser(run, id, user);
        if (created === null)
          throw new TypeError("users.create: the id is taken: leave `id` out to get the next number");
        return { outcome: "created", user: await recordChange(run, audit, created) };
      }),

    importBatch: createUserImport(connection),

    async ensure(id) {
      const existing = await findFirst<User>("users.ensure", find, { id });
      if (existing !== null) return existing;
      return connection.transact("users.ensure", async ({ run }) => {
        const created = await insertUser(run, id, externalUser);
        if (created !== null) return created;
        const [user] = await run<User>(find, { id });
        if (user === undefined)
          throw new StoreUnavailableError("users.ensure: the user was deleted meanwhile: try again");
        return user;
      });
    },

    findById: (id) => findFirst<UserWithPassword>("users.findById", findById, { id }),

    findByKey: (usernameKey) => findFirst<UserWithPassword>("users.findByKey", findByKey, { usernameKey }),

    list: ({ after, limit }) => connection.run<User>("users.list", list, { after: after ?? null, limit }),

    update: (id, { username = null, usernameKey = null, email, role }, { audit, guard } = {}) =>
      connection.transact("users.update", async ({ run }) => {
        await requireAllowed(run, guard);
        // The lock also keeps others from taking the name meanwhile.
        if (usernameKey !== null) await run(lockNumbers);
        const [existing] = await run<User & { now: number }>(lockUser, { id });
        if (existing === undefined) return null;
        const [owner] = usernameKey === null ? [] : await run<User>(findByKey, { usernameKey });
        if (owner !== undefined && owner.id !== id) return { outcome: "name_taken" };
        const emailPatch = { setEmail: email !== undefined, email: email ?? null };
        const rolePatch = { setRole: role !== undefined, role: role ?? null };
        const [changed] = await run<User & { now: number }>(update, {
          id,
          username,
          usernameKey,
          ...emailPatch,
          ...rolePatch,
        });
        const { now, ...user } = changed ?? existing;
        if (changed === undefined) return { outcome: "unchanged", user, now };
        return recordChange(run, audit, { outcome: "updated", user, now } as const);
      }),

    disable: (id, { audit, confirm, guard } = {}) =>
      connection.transact("users.disable", async (transaction) => {
        await requireAllowed(transaction.run, guard);
        const [user] = await transaction.run<User>(lockUser, { id });
        const raised = await revocations.raiseEpoch(transaction, id, {
          reason: "user_disabled",
          disable: true,
          confirm,
        });
        if (user?.isActive === false && raised !== null) return { ...raised.revoked, wasDisabled: true };
        return recordChange(transaction.run, audit, raised?.revoked ?? null);
      }),

    enable: (id, { audit, guard } = {}) =>
      connection.transact("users.enable", async ({ run }) => {
        await requireAllowed(run, guard);
        const [user] = await run<User & { now: number }>(lockUser, { id });
        if (user === undefined) return null;
        if (user.isActive) return { now: user.now, wasEnabled: true };
        const [enabled] = await run<{ now: number }>(enable, { id });
        return recordChange(run, audit, enabled ?? null);
      }),

    setPassword: (id, passwordHash, { audit, confirm, guard } = {}) =>
      connection.transact("users.setPassword", async (transaction) => {
        await requireAllowed(transaction.run, guard);
        const raised = await revocations.raiseEpoch(transaction, id, {
          reason: "password_changed",
          passwordHash,
          confirm,
        });
        return recordChange(transaction.run, audit, raised?.revoked ?? null);
      }),

    replacePasswordHash: (id, { from, to }, audit) =>
      connection.transact("users.replacePasswordHash", async ({ run }) => {
        const [replaced] = await run<{ now: number }>(replacePasswordHash, { id, from, to });
        return recordChange(run, audit, replaced ?? null);
      }),

    changePassword: (id, passwordHash, { userEpoch, ...keep }, { audit, confirm } = {}) =>
      connection.transact("users.changePassword", async (transaction) => {
        const { run } = transaction;
        const { sessionId } = keep;
        if ((await run(lockCaller, { id, userEpoch, sessionId })).length === 0) return null;
        const change = { passwordHash, except: sessionId, confirm };
        const raised = await revocations.raiseEpoch(transaction, id, { reason: "password_changed", ...change });
        if (raised === null) return null;
        const { epoch, now, revoked } = raised;
        const kept = toSessionAt(await run<SessionRow>(keepSession, { ...keep, epoch, now }));
        return kept === null ? null : { ...(await recordChange(run, audit, revoked)), ...kept };
      }),

    replaceUsernameKey: (id, { from, to }) =>
      connection.transact("users.replaceUsernameKey", async ({ run }) => {
        // Keeps others from taking the name meanwhile.
        await run(lockNumbers);
        const [owner] = await run<User>(findByKey, { usernameKey: from });
        if (owner?.id !== id) return "unchanged";
        if ((await run<User>(findByKey, { usernameKey: to })).length > 0) return "taken";
        await run("UPDATE tokenpair.users SET username_key = :to WHERE id = :id", { id, to });
        return "replaced";
      }),

    countHashForms: () => connection.run<HashFormCount>("users.countHashForms", countHashForms, {}),

    delete: (id, { audit, confirm, guard } = {}) =>
      connection.transact("users.delete", async (transaction) => {
        await requireAllowed(transaction.run, guard);
        const raised = await revocations.raiseEpoch(transaction, id, { reason: "user_deleted", confirm });
        await transaction.run("DELETE FROM tokenpair.users WHERE id = :id", { id });
        return recordChange(transaction.run, audit, raised?.revoked ?? null);
      }),
  };
}
