import type { Session } from "../core/session.ts";
import type { Rotation } from "../core/store/sessions.ts";

/** What a rotation reads back from its row. The rest of the row it has just written, or made a condition of. */
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

/** The session as its row stands after `rotation` at `now`. */
export function toRotated(rotation: Rotation, row: RotatedRow, now: number): { session: Session; now: number } {
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
