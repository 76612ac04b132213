/** The reason for which a session was revoked. */
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
 * One login on one device: one row, no matter how often it is refreshed. Times are whole seconds since the epoch, on the
 * database's clock. The row contains no secret: no token can be made from the hashes and the salt.
 */
export interface Session {
  /** The session's id, a UUIDv7 (RFC 9562 §5.7). */
  readonly id: string;
  /** The user who logged in. */
  readonly userId: string;
  /**
   * The user's epoch when the user logged in. If this session later changed the password or logged out the other sessions,
   * it is the epoch after that.
   */
  readonly userEpoch: number;
  /**
   * The lowest user epoch that a refresh token of this session may carry. It is lower than `userEpoch` after the session
   * has logged out the others. `null` means the same as `userEpoch`.
   */
  readonly leastEpoch: number | null;
  /** How often the session has been rotated. */
  readonly generation: number;
  /** SHA-256 of the current generation's secret. */
  readonly currentHash: Uint8Array;
  /**
   * SHA-256 of the previous generation's secret, or `null` before the first rotation. If a refresh token of simplejwt was
   * redeemed for the session, the first generation has the hash of the secret that is derived from that token.
   */
  readonly previousHash: Uint8Array | null;
  /** The salt that derived the current secret from the previous one, or `null` if there is no previous secret. */
  readonly salt: Uint8Array | null;
  /**
   * SHA-256 of the idempotency key of the rotation or redemption that created the current generation, or `null` if it had
   * none.
   */
  readonly idempotencyHash: Uint8Array | null;
  /**
   * When the current generation was created. The reuse interval begins at this time. With `rotateRefreshTokens: "observe"`,
   * when the last refresh token was issued. `null` before the first rotation, unless a refresh token of simplejwt was
   * redeemed for the session.
   */
  readonly rotatedAt: number | null;
  /** When the user logged in. */
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
  /** When the session expires if it is not refreshed. Never later than `absoluteExpiresAt`. */
  readonly idleExpiresAt: number;
  /** When the session expires, no matter how often it is refreshed. This time never changes. */
  readonly absoluteExpiresAt: number;
  /** The latest `exp` of the session's access tokens, or `null` if only version 0.1 has issued any. */
  readonly accessUntil: number | null;
  /** SHA-256 of the idempotency key of the last password change, or `null` if there was none. */
  readonly changeHash: Uint8Array | null;
  /** When the session was revoked, or `null` if it was not. */
  readonly revokedAt: number | null;
  /** Why the session was revoked, or `null` if it was not. */
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
/** Whether a session is live. If it isn't, says why. */
export type SessionStatus = "live" | "revoked" | "expired";
/**
 * Returns whether a session is live. Doesn't consider its user.
 *
 * @param now the database's time, in whole seconds since the epoch.
 */
export declare function toSessionStatus(session: Session, now: number): SessionStatus;
//# sourceMappingURL=session.d.ts.map
