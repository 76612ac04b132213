import type { Session } from "../../core/session.ts";
import type { SessionAt } from "../../core/store/sessions.ts";
import { longestUnknownAccess } from "../revocation-row.ts";

/** A SQL condition on `sessions`, for statements with `clock`: the session is neither revoked nor expired. */
export const isLive = "revoked_at IS NULL AND idle_expires_at > now";

/**
 * A SQL condition on `sessions`, for statements with `clock`: the session is live, and its epoch is not lower than the
 * user's. When one session revokes the others, their rows don't change, so their epoch is what shows that they are revoked.
 * The session's epoch can be higher than the user's: the row has moved to a new epoch while the statement waited for it,
 * but the statement still sees the old user.
 */
export const isLiveInEpoch = `${isLive} AND user_epoch >= (SELECT epoch FROM tokenpair.users WHERE users.id = sessions.user_id)`;

/** A SQL expression, for statements with `clock`: the time at which the last of the session's access tokens expires. */
export const accessEnd = `coalesce(access_until, now + ${longestUnknownAccess})`;

/** A SQL subquery that returns the global epoch. */
export const globalEpoch = "(SELECT global_epoch FROM tokenpair.installation)";

/** A SQL expression: the time at which the server was started. It is different after a restore and on a standby. */
export const incarnation = "extract(epoch FROM pg_postmaster_start_time())::text";

/**
 * A SQL condition on `sessions`, for statements with `clock`: the session is live, its user exists and is active, and the
 * session's epoch is not lower than the user's.
 */
export const isUsable = `${isLive} AND EXISTS (SELECT FROM tokenpair.users
  WHERE users.id = sessions.user_id AND users.is_active AND users.epoch <= sessions.user_epoch)`;

/** An expression on `sessions`: when the user was last authenticated. */
export const authenticatedAt = "coalesce(authenticated_at, created_at)";

/** Every column of `sessions` that a `Session` has, under its names. */
export const sessionColumns = `id, user_id AS "userId", user_epoch AS "userEpoch", least_epoch AS "leastEpoch", generation,
  current_hash AS "currentHash", previous_hash AS "previousHash", salt, attempt_hash AS "idempotencyHash",
  rotated_at AS "rotatedAt", created_at AS "createdAt", ${authenticatedAt} AS "authenticatedAt", amr, actor,
  last_used_at AS "lastUsedAt",
  idle_expires_at AS "idleExpiresAt", absolute_expires_at AS "absoluteExpiresAt",
  access_until AS "accessUntil", change_hash AS "changeHash", revoked_at AS "revokedAt", revoke_reason AS "revokeReason", persistent, user_agent AS "userAgent", ip, label`;

/** A row with `sessionColumns`, `now` and `globalEpoch`. */
export type SessionRow = Session & { readonly now: number; readonly globalEpoch: number };

/** Converts the first row to a session with the time. Returns `null` if there is no row. */
export function toSessionAt([row]: readonly SessionRow[]): SessionAt | null {
  if (row === undefined) return null;
  const { now, globalEpoch: epoch, ...session } = row;
  return { session, now, globalEpoch: epoch };
}

/**
 * Returns a SQL subquery for the epoch of a new user. If the id was used before, the epoch is at least the one that revoked
 * the deleted user's tokens. It is also higher than that of every session whose row says that it is live.
 *
 * @param id a SQL expression for the user's id.
 */
export const firstEpoch = (id: string) => `(SELECT greatest(max(epoch), 0, (SELECT max(user_epoch) + 1
  FROM tokenpair.sessions WHERE user_id = ${id} AND revoked_at IS NULL))
  FROM tokenpair.revocations WHERE kind = 'user' AND key = ${id})`;

/** All columns of `users` that a `User` has, with its names. */
export const userColumns = `id, username, email, is_active AS "isActive", role, epoch,
  created_at AS "createdAt", last_login_at AS "lastLoginAt"`;

/** `userColumns` and the password hash. */
export const userWithPasswordColumns = `${userColumns}, password_hash AS "passwordHash"`;
