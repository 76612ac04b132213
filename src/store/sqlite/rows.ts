import type { Revocation } from "../../core/revocation.ts";
import type { Session } from "../../core/session.ts";
import type { User, UserWithPassword } from "../../core/user.ts";

type Bit = 0 | 1;

/** Of `sessions`: neither revoked nor expired at `:now`. */
export const isLive = "revoked_at IS NULL AND idle_expires_at > :now";

/** Every column of `sessions` that a `Session` has, under its names. */
export const sessionColumns = `id, user_id AS userId, user_epoch AS userEpoch, generation,
  current_hash AS currentHash, previous_hash AS previousHash, salt, attempt_hash AS idempotencyHash,
  rotated_at AS rotatedAt, created_at AS createdAt, last_used_at AS lastUsedAt, idle_expires_at AS idleExpiresAt,
  absolute_expires_at AS absoluteExpiresAt, revoked_at AS revokedAt, revoke_reason AS revokeReason, persistent,
  user_agent AS userAgent, ip, label`;

/** A row of `sessionColumns`. */
export type SessionRow = Omit<{ -readonly [K in keyof Session]: Session[K] }, "persistent"> & { persistent: Bit };

/** The session that a row of `sessionColumns` holds. */
export function toSession(row: SessionRow): Session {
  return { ...row, persistent: row.persistent === 1 };
}

/** Every column of `users` that a `User` has, under its names. */
export const userColumns = `id, username, email, is_active AS isActive, is_staff AS isStaff, epoch,
  created_at AS createdAt, last_login_at AS lastLoginAt`;

/** `userColumns` and the password hash. */
export const userWithPasswordColumns = `${userColumns}, password_hash AS passwordHash`;

/** A row of `userColumns`, or of `userWithPasswordColumns`. */
export type UserRow<U extends User = User> = Omit<{ -readonly [K in keyof U]: U[K] }, "isActive" | "isStaff"> & {
  isActive: Bit;
  isStaff: Bit;
};

/** The user that a row of `userColumns` holds; with the hash, where the row has one. */
export function toUser(row: UserRow<UserWithPassword>): UserWithPassword;
export function toUser(row: UserRow): User;
export function toUser(row: UserRow): User {
  return { ...row, isActive: row.isActive === 1, isStaff: row.isStaff === 1 };
}

/** A row of `revocations`. */
export type RevocationRow = {
  seq: number;
  kind: Revocation["kind"];
  key: string;
  epoch: number;
  at: number;
  appended_ms: number | null;
};

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

/** What `revocations` holds of a revocation. */
export function toRevocationRow(revocation: Revocation): { key: string | null; epoch: number | null } {
  switch (revocation.kind) {
    case "session":
      return { key: revocation.sessionId, epoch: null };
    case "user":
      return { key: revocation.userId, epoch: revocation.epoch };
    case "token":
      return { key: revocation.tokenId, epoch: null };
    case "all":
      return { key: null, epoch: null };
  }
}
