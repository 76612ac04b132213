import type { Revocation } from "../../core/revocation.ts";
import type { Session } from "../../core/session.ts";

/** Of `sessions`, beside `clock`: neither revoked nor expired. */
export const isLive = "revoked_at IS NULL AND idle_expires_at > now";

/** Of `sessions`, beside `clock`: live, and the row's user exists, is active and still has its epoch. */
export const isUsable = `${isLive} AND EXISTS (SELECT FROM tokenpair.users
  WHERE users.id = sessions.user_id AND users.is_active AND users.epoch = sessions.user_epoch)`;

/** Every column of `sessions` that a `Session` has, under its names. */
export const sessionColumns = `id, user_id AS "userId", user_epoch AS "userEpoch", generation,
  current_hash AS "currentHash", previous_hash AS "previousHash", salt, attempt_hash AS "idempotencyHash",
  rotated_at AS "rotatedAt", created_at AS "createdAt", last_used_at AS "lastUsedAt",
  idle_expires_at AS "idleExpiresAt", absolute_expires_at AS "absoluteExpiresAt",
  revoked_at AS "revokedAt", revoke_reason AS "revokeReason", persistent, user_agent AS "userAgent", ip, label`;

/** A row of `sessionColumns` and `now`. */
export type SessionRow = Session & { readonly now: number };

/** The session and the time of the first row; `null` where there is none. */
export function toSession(rows: readonly SessionRow[]): { readonly session: Session; readonly now: number } | null {
  const [row] = rows;
  if (row === undefined) return null;
  const { now, ...session } = row;
  return { session, now };
}

/** Every column of `users` that a `User` has, under its names. */
export const userColumns = `id, username, email, is_active AS "isActive", is_staff AS "isStaff", epoch,
  created_at AS "createdAt", last_login_at AS "lastLoginAt"`;

/** `userColumns` and the password hash. */
export const userWithPasswordColumns = `${userColumns}, password_hash AS "passwordHash"`;

/** What a row of `revocations` says. */
export interface RevocationRow {
  readonly kind: Revocation["kind"];
  readonly key: string;
  readonly epoch: number;
  readonly at: number;
}

/** The revocation that a row of the feed holds. */
export function toRevocation({ kind, key, epoch, at }: RevocationRow): Revocation {
  switch (kind) {
    case "session":
      return { kind, sessionId: key, at };
    case "user":
      return { kind, userId: key, epoch, at };
    case "token":
      return { kind, tokenId: key, at };
    case "all":
      return { kind, at };
  }
}
