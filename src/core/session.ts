/** Why a session ended before it expired. */
export type RevokeReason =
  | "logout"
  | "replaced"
  | "reuse"
  | "revoked"
  | "password_changed"
  | "user_disabled"
  | "user_deleted";

/**
 * One login on one device: one token family, one row, however often it is refreshed. Times are whole seconds since the
 * epoch on the store's clock. Holds no secret: hashes and the salt cannot make a token.
 */
export interface Session {
  /** UUIDv7 (RFC 9562 §5.7). */
  readonly id: string;
  readonly userId: string;
  /** The user's epoch at login; the session is dead once the user's is higher. */
  readonly userEpoch: number;
  /** How often the session has been rotated. */
  readonly generation: number;
  /** SHA-256 of the current generation's secret. */
  readonly currentHash: Uint8Array;
  /** SHA-256 of the previous generation's secret; `null` before the first rotation. */
  readonly previousHash: Uint8Array | null;
  /** The salt that derived the current secret from the previous one; `null` before the first rotation. */
  readonly salt: Uint8Array | null;
  /** SHA-256 of the attempt id that made the current generation; `null` where the client sent none. */
  readonly idempotencyHash: Uint8Array | null;
  /** When the current generation was made; the reuse interval is anchored here. */
  readonly rotatedAt: number | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly revokedAt: number | null;
  readonly revokeReason: RevokeReason | null;
  /** "Remember me": whether a browser keeps the refresh cookie when it closes. */
  readonly persistent: boolean;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly label: string | null;
}

/** Where a session stands: alive, or why it is not. */
export type SessionStatus = "live" | "revoked" | "expired";

/** Whether `session` is alive at `now` (seconds, the store's clock). Says nothing of its user. */
export function toSessionStatus(session: Session, now: number): SessionStatus {
  if (session.revokedAt !== null) return "revoked";
  return now < session.idleExpiresAt && now < session.absoluteExpiresAt ? "live" : "expired";
}
