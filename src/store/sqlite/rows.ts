import type { RevokeReason, Session } from "../../core/session.ts";
import type { SessionUser } from "../../core/store/sessions.ts";
import type { User, UserWithPassword } from "../../core/user.ts";
import { longestUnknownAccess } from "../revocation-row.ts";
import type { SqliteConnection } from "./connection/connection.ts";

type Bit = 0 | 1;

/** A SQL condition on `sessions`: according to its row, the session is neither revoked nor expired at `:now`. */
export const isLiveRow = "revoked_at IS NULL AND idle_expires_at > :now";

/** A SQL expression on `sessions`: the global epoch when the user logged in. */
export const sessionGlobalEpoch = "coalesce(sessions.global_epoch, 0)";

/**
 * A SQL condition on `sessions`: the session is neither revoked nor expired at `:now`. It also compares the least global
 * epoch, because "revoke all" first raises that epoch and changes the rows afterwards.
 */
export const isLive = `${isLiveRow} AND ${sessionGlobalEpoch} >= (SELECT least_global_epoch FROM installation)`;

/**
 * A SQL condition on `sessions`: the session is live at `:now`, and has the same epoch as its user. When one session
 * revokes the others, their rows don't change, so their epoch is what shows that they are revoked.
 */
export const isLiveInEpoch = `${isLive} AND user_epoch = (SELECT epoch FROM users WHERE users.id = sessions.user_id)`;

/**
 * A SQL expression on `sessions`: the time at which the last of the session's access tokens expires, for a change at
 * `:now`.
 */
export const accessEnd = `coalesce(access_until, :now + ${longestUnknownAccess})`;

/** All columns of `sessions` that a `Session` has, with its names. */
export const sessionColumns = `id, user_id AS userId, user_epoch AS userEpoch, least_epoch AS leastEpoch, generation,
  current_hash AS currentHash, previous_hash AS previousHash, salt, attempt_hash AS idempotencyHash,
  rotated_at AS rotatedAt, created_at AS createdAt, coalesce(authenticated_at, created_at) AS authenticatedAt, amr, actor,
  last_used_at AS lastUsedAt, idle_expires_at AS idleExpiresAt,
  absolute_expires_at AS absoluteExpiresAt, access_until AS accessUntil, change_hash AS changeHash, revoked_at AS revokedAt, revoke_reason AS revokeReason, persistent,
  user_agent AS userAgent, ip, label`;

/**
 * A SQL condition on `sessions`, for statements with `installation`: "revoke all" has revoked the session, but its row
 * hasn't been changed yet.
 */
const isBehind = `revoked_at IS NULL AND ${sessionGlobalEpoch} < least_global_epoch`;

/** The columns of `sessionColumns` for sessions that "revoke all" may have revoked, for statements with `installation`. */
export const snapshotColumns = `${sessionColumns},
  CASE WHEN ${isBehind} THEN all_revoked_at END AS endedAt,
  CASE WHEN ${isBehind} THEN all_revoked_reason END AS endReason`;

/** A row with `sessionColumns`. */
export type SessionRow = Omit<{ -readonly [K in keyof Session]: Session[K] }, "persistent"> & { persistent: Bit };

/** Converts a row with `sessionColumns` to a session. */
export function toSession(row: SessionRow): Session {
  return { ...row, persistent: row.persistent === 1 };
}

/** Returns the state of a session's user, or `null` if there is no such user. Call it only inside a transaction. */
export function readSessionUser(connection: SqliteConnection, id: string): SessionUser | null {
  const row = connection.prepare("SELECT is_active, epoch, epoch_reason FROM users WHERE id = :id").get({ id });
  if (row === undefined) return null;
  const epochReason = row["epoch_reason"] as RevokeReason | null;
  return { isActive: row["is_active"] === 1, epoch: Number(row["epoch"]), epochReason };
}

/**
 * A SQL subquery for the epoch of a new user with the id `:id`. If the id was used before, the epoch is at least the one
 * that revoked the deleted user's tokens. It is also higher than that of every session whose row says that it is live.
 */
export const firstEpoch = `(SELECT max(coalesce(max(epoch), 0), coalesce((SELECT max(user_epoch) + 1 FROM sessions
  WHERE user_id = :id AND revoked_at IS NULL), 0)) FROM revocations WHERE kind = 'user' AND key = :id)`;

/** All columns of `users` that a `User` has, with its names. */
export const userColumns = `id, username, email, is_active AS isActive, role, epoch,
  created_at AS createdAt, last_login_at AS lastLoginAt`;

/** `userColumns` and the password hash. */
export const userWithPasswordColumns = `${userColumns}, password_hash AS passwordHash`;

/** A row with `userColumns` or `userWithPasswordColumns`. */
export type UserRow<U extends User = User> = Omit<{ -readonly [K in keyof U]: U[K] }, "isActive"> & {
  isActive: Bit;
};

/** Converts a row with `userWithPasswordColumns` to a user with the password hash. */
export function toUser(row: UserRow<UserWithPassword>): UserWithPassword;
/** Converts a row with `userColumns` to a user. */
export function toUser(row: UserRow): User;
export function toUser(row: UserRow): User {
  return { ...row, isActive: row.isActive === 1 };
}
