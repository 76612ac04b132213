import type { RevokeReason, Session } from "../../core/session.ts";
import type { SessionUser } from "../../core/store/sessions.ts";
import type { User, UserWithPassword } from "../../core/user.ts";
import { longestUnknownAccess } from "../revocation-row.ts";
import type { SqliteConnection } from "./connection/connection.ts";

type Bit = 0 | 1;

/** A condition on `sessions`: the row says that the session is neither revoked nor expired at `:now`. */
export const isLiveRow = "revoked_at IS NULL AND idle_expires_at > :now";

/** An expression on `sessions`: the global epoch at the login. */
export const sessionGlobalEpoch = "coalesce(sessions.global_epoch, 0)";

/**
 * A condition on `sessions`: the session is neither revoked nor expired at `:now`. "Revoke all" raises the least global epoch
 * first and changes the rows after that.
 */
export const isLive = `${isLiveRow} AND ${sessionGlobalEpoch} >= (SELECT least_global_epoch FROM installation)`;

/**
 * A condition on `sessions`: the session is live at `:now`, and its user's epoch has not been raised past it. The rows of such
 * sessions are not touched if one session revokes the others.
 */
export const isLiveInEpoch = `${isLive} AND user_epoch = (SELECT epoch FROM users WHERE users.id = sessions.user_id)`;

/** An expression on `sessions`: the time until which the session's access tokens live, for a change at `:now`. */
export const accessEnd = `coalesce(access_until, :now + ${longestUnknownAccess})`;

/** Every column of `sessions` that a `Session` has, under its names. */
export const sessionColumns = `id, user_id AS userId, user_epoch AS userEpoch, least_epoch AS leastEpoch, generation,
  current_hash AS currentHash, previous_hash AS previousHash, salt, attempt_hash AS idempotencyHash,
  rotated_at AS rotatedAt, created_at AS createdAt, coalesce(authenticated_at, created_at) AS authenticatedAt, amr, actor,
  last_used_at AS lastUsedAt, idle_expires_at AS idleExpiresAt,
  absolute_expires_at AS absoluteExpiresAt, access_until AS accessUntil, change_hash AS changeHash, revoked_at AS revokedAt, revoke_reason AS revokeReason, persistent,
  user_agent AS userAgent, ip, label`;

/** A condition on `sessions` beside `installation`: "revoke all" has revoked the session, but not changed its row yet. */
const isBehind = `revoked_at IS NULL AND ${sessionGlobalEpoch} < least_global_epoch`;

/** `sessionColumns`, beside `installation`, of sessions that may have been revoked by "revoke all". */
export const snapshotColumns = `${sessionColumns},
  CASE WHEN ${isBehind} THEN all_revoked_at END AS endedAt,
  CASE WHEN ${isBehind} THEN all_revoked_reason END AS endReason`;

/** A row of `sessionColumns`. */
export type SessionRow = Omit<{ -readonly [K in keyof Session]: Session[K] }, "persistent"> & { persistent: Bit };

/** Converts a row of `sessionColumns` to a session. */
export function toSession(row: SessionRow): Session {
  return { ...row, persistent: row.persistent === 1 };
}

/** Returns the state of a session's user; `null` if there is none. Call it only inside a transaction. */
export function readSessionUser(connection: SqliteConnection, id: string): SessionUser | null {
  const row = connection.prepare("SELECT is_active, epoch, epoch_reason FROM users WHERE id = :id").get({ id });
  if (row === undefined) return null;
  const epochReason = row["epoch_reason"] as RevokeReason | null;
  return { isActive: row["is_active"] === 1, epoch: Number(row["epoch"]), epochReason };
}

/**
 * A subquery for the epoch of a new user with the id `:id`. An id that was used before starts at the epoch that revoked the
 * deleted user's tokens, and past every session whose row says that it is live.
 */
export const firstEpoch = `(SELECT max(coalesce(max(epoch), 0), coalesce((SELECT max(user_epoch) + 1 FROM sessions
  WHERE user_id = :id AND revoked_at IS NULL), 0)) FROM revocations WHERE kind = 'user' AND key = :id)`;

/** Every column of `users` that a `User` has, under its names. */
export const userColumns = `id, username, email, is_active AS isActive, is_staff AS isStaff, epoch,
  created_at AS createdAt, last_login_at AS lastLoginAt`;

/** `userColumns` and the password hash. */
export const userWithPasswordColumns = `${userColumns}, password_hash AS passwordHash`;

/** A row of `userColumns` or `userWithPasswordColumns`. */
export type UserRow<U extends User = User> = Omit<{ -readonly [K in keyof U]: U[K] }, "isActive" | "isStaff"> & {
  isActive: Bit;
  isStaff: Bit;
};

/** Converts a row of `userWithPasswordColumns` to a user with the password hash. */
export function toUser(row: UserRow<UserWithPassword>): UserWithPassword;
/** Converts a row of `userColumns` to a user. */
export function toUser(row: UserRow): User;
export function toUser(row: UserRow): User {
  return { ...row, isActive: row.isActive === 1, isStaff: row.isStaff === 1 };
}
