/** Why a session was revoked. */
export type RevokeReason =
  | "logout"
  | "replaced"
  | "reuse"
  | "revoked"
  | "password_changed"
  | "user_disabled"
  | "user_deleted"
  | "limit";

/**
 * One login on one device: one token family, one row, no matter how often it is refreshed. Times are whole seconds since the
 * epoch on the database's clock. Holds no secret: no token can be made from the hashes and the salt.
 */
export interface Session {
  /** UUIDv7 (RFC 9562 §5.7). */
  readonly id: string;
  /** The user who logged in. */
  readonly userId: string;
  /** The user's epoch at the login or, in the session that changed its user's password, since then. */
  readonly userEpoch: number;
  /**
   * The lowest user epoch that a refresh token of this session may carry: lower than `userEpoch` after the session has logged
   * the others out. `null`: `userEpoch` itself.
   */
  readonly leastEpoch: number | null;
  /** How often the session has been rotated. */
  readonly generation: number;
  /** SHA-256 of the current generation's secret. */
  readonly currentHash: Uint8Array;
  /**
   * SHA-256 of the previous generation's secret; `null` before the first rotation. In the first generation of a session for
   * which a refresh token of simplejwt was redeemed: of the secret that this token yields.
   */
  readonly previousHash: Uint8Array | null;
  /** The salt that derived the current secret from the previous one; `null` if there is no previous one. */
  readonly salt: Uint8Array | null;
  /** SHA-256 of the idempotency key of the rotation or redemption that made the current generation; `null` if it had none. */
  readonly idempotencyHash: Uint8Array | null;
  /**
   * When the current generation was made: the reuse interval begins here. With `rotateRefreshTokens: "observe"`, when the last
   * refresh token was issued. `null` before the first time, unless a refresh token of simplejwt was redeemed for the session.
   */
  readonly rotatedAt: number | null;
  /** The time of the login. */
  readonly createdAt: number;
  /**
   * When the user was last authenticated: at the login, or when the session was confirmed since. 0: long ago, in the system that
   * the user comes from.
   */
  readonly authenticatedAt: number;
  /** How the user was authenticated: RFC 8176 values with spaces between them. `null`: unknown. */
  readonly amr: string | null;
  /** Who acts for the user in this session (RFC 8693 §4.1); `null` if the user does. */
  readonly actor: string | null;
  /** The time of the last login or refresh. */
  readonly lastUsedAt: number;
  /** When the session expires unless it is refreshed. Never later than `absoluteExpiresAt`. */
  readonly idleExpiresAt: number;
  /** When the session expires, no matter how often it is refreshed. Never moves. */
  readonly absoluteExpiresAt: number;
  /** The latest `exp` of an access token of this session; `null` if only version 0.1 has issued any. */
  readonly accessUntil: number | null;
  /** SHA-256 of the idempotency key of the last password change; `null` if there was none. */
  readonly changeHash: Uint8Array | null;
  /** When the session was revoked; `null` if it was not. */
  readonly revokedAt: number | null;
  /** Why the session was revoked; `null` if it was not. */
  readonly revokeReason: RevokeReason | null;
  /** Whether a browser keeps the refresh cookie after it is closed ("remember me"). */
  readonly persistent: boolean;
  /** The `User-Agent` of the last login or refresh that had one. */
  readonly userAgent: string | null;
  /** The client's IP address at the last login or refresh that had one. */
  readonly ip: string | null;
  /** The name that the user gave the session. */
  readonly label: string | null;
}

/** Whether a session is live, or why not. */
export type SessionStatus = "live" | "revoked" | "expired";

/**
 * Returns whether a session is live. Doesn't consider its user.
 *
 * @param now whole seconds since the epoch on the database's clock.
 */
export function toSessionStatus(session: Session, now: number): SessionStatus {
  if (session.revokedAt !== null) return "revoked";
  return now < session.idleExpiresAt && now < session.absoluteExpiresAt ? "live" : "expired";
}
