import type { Session } from "../../core/session.ts";
import type { Rotation, SessionAt } from "../../core/store/sessions.ts";

/**
 * The columns that a rotation reads back. The values of the other columns are known, because the statement wrote them or
 * required them.
 */
export type RotatedRow = Pick<
  Session,
  | "userId"
  | "userEpoch"
  | "leastEpoch"
  | "createdAt"
  | "authenticatedAt"
  | "amr"
  | "actor"
  | "idleExpiresAt"
  | "absoluteExpiresAt"
  | "accessUntil"
  | "changeHash"
  | "persistent"
  | "userAgent"
  | "ip"
  | "label"
> & { readonly globalEpoch: number };

/**
 * Returns the session after a rotation.
 *
 * @param now the database's time of the rotation, in whole seconds since the epoch.
 */
export function toRotatedSession(rotation: Rotation, row: RotatedRow, now: number): SessionAt {
  const { userId, userEpoch, leastEpoch, createdAt, idleExpiresAt, absoluteExpiresAt, persistent, userAgent, ip } = row;
  const session: Session = {
    id: rotation.sessionId,
    userId,
    userEpoch,
    leastEpoch,
    generation: rotation.generation + 1,
    currentHash: rotation.nextHash,
    previousHash: rotation.presentedHash,
    salt: rotation.salt,
    idempotencyHash: rotation.idempotencyHash,
    rotatedAt: now,
    createdAt,
    authenticatedAt: row.authenticatedAt,
    amr: row.amr,
    actor: row.actor,
    lastUsedAt: now,
    idleExpiresAt,
    absoluteExpiresAt,
    accessUntil: row.accessUntil,
    changeHash: row.changeHash,
    revokedAt: null,
    revokeReason: null,
    persistent,
    userAgent,
    ip,
    label: row.label,
  };
  return { session, now, globalEpoch: row.globalEpoch };
}
