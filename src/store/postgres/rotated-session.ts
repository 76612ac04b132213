import type { Session } from "../../core/session.ts";
import type { Rotation, SessionAt } from "../../core/store/sessions.ts";

/**
 * The columns that a rotation reads back. It has just written the other columns, or their values were its condition.
 */
export type RotatedRow = Pick<
  Session,
  | "userId"
  | "userEpoch"
  | "createdAt"
  | "idleExpiresAt"
  | "absoluteExpiresAt"
  | "persistent"
  | "userAgent"
  | "ip"
  | "label"
>;

/**
 * Returns the session after a rotation.
 *
 * @param now the database's time of the rotation: whole seconds since the epoch.
 */
export function toRotatedSession(rotation: Rotation, row: RotatedRow, now: number): SessionAt {
  const { userId, userEpoch, createdAt, idleExpiresAt, absoluteExpiresAt, persistent, userAgent, ip, label } = row;
  const session: Session = {
    id: rotation.sessionId,
    userId,
    userEpoch,
    generation: rotation.generation + 1,
    currentHash: rotation.nextHash,
    previousHash: rotation.presentedHash,
    salt: rotation.salt,
    idempotencyHash: rotation.idempotencyHash,
    rotatedAt: now,
    createdAt,
    lastUsedAt: now,
    idleExpiresAt,
    absoluteExpiresAt,
    revokedAt: null,
    revokeReason: null,
    persistent,
    userAgent,
    ip,
    label,
  };
  return { session, now };
}
