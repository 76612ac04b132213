/** The kind of a token: its claim `token_type`. */
export type TokenType = "access" | "refresh";

/** The application's own claims in an access token: any JSON object. */
export type ApplicationClaims = Record<string, unknown>;

/**
 * The claims of a verified access token, under names that don't depend on the settings. Times are whole seconds since the
 * epoch. The object is deeply frozen unless `verifyCacheSize` is 0, because requests with the same token share it.
 */
export interface AccessClaims<C extends object = ApplicationClaims> {
  readonly type: "access";
  /** The user's id, from the claim `user_id` or the claim that the setting `userIdClaim` names. */
  readonly userId: string;
  /** The session's id, from the claim `sid`. */
  readonly sessionId: string;
  /**
   * The user's epoch when the token was issued, from the claim `ue`. The token is revoked once the user has a higher epoch.
   */
  readonly userEpoch: number;
  /**
   * The global epoch when the token was issued, from the claim `ge`. The token is revoked once the global epoch is higher.
   * `null` if the token has no `ge`, like tokens of version 0.1.
   */
  readonly globalEpoch: number | null;
  /** The token's id, from the claim `jti`. It is safe to log. */
  readonly tokenId: string;
  /**
   * The time at which the token was issued, from the claim `iat`. 0 if the token has no `iat`, but tokenpair's own tokens
   * always have one.
   */
  readonly issuedAt: number;
  /** The time at which the token expires, from the claim `exp`. */
  readonly expiresAt: number;
  /**
   * `auth_time`: when the user was last authenticated, by a login or a confirmation, not by a refresh. 0: long ago, in the system
   * that the user comes from. `null` if the token has none, as version 0.1's.
   */
  readonly authTime: number | null;
  /** `amr`: how the user was authenticated (RFC 8176 §2), such as `["pwd", "otp"]`. Empty if it is unknown. */
  readonly amr: readonly string[];
  /** `act.sub`: who acts for the user (RFC 8693 §4.1); `null` if the user does. */
  readonly actor: string | null;
  /** The decoded payload, with the application's claims. */
  readonly payload: C & Readonly<Record<string, unknown>>;
}

/** The claims of a verified refresh token. Times are whole seconds since the epoch. */
export interface RefreshClaims {
  readonly type: "refresh";
  /** The user's id, from the claim `user_id` or the claim that the setting `userIdClaim` names. */
  readonly userId: string;
  /** The session's id, from the claim `sid`. */
  readonly sessionId: string;
  /** The user's epoch when the token was issued, from the claim `ue`. */
  readonly userEpoch: number;
  /** The token's id, from the claim `jti`. It is safe to log. */
  readonly tokenId: string;
  /** The time at which the token was issued, from the claim `iat`. */
  readonly issuedAt: number;
  /** The time at which the token expires, from the claim `exp`. */
  readonly expiresAt: number;
  /** How often the session had been rotated when the token was issued, from the claim `gen`. */
  readonly generation: number;
  /** The secret of this generation, 32 bytes. Never log, store or return it. */
  readonly secret: Uint8Array;
}

/** An access and a refresh token of one session. */
export interface TokenPair {
  /** The access token. */
  readonly access: string;
  /** The refresh token. */
  readonly refresh: string;
  /** The number of seconds until the access token expires. */
  readonly accessExpiresIn: number;
  /** The number of seconds until the refresh token expires. */
  readonly refreshExpiresIn: number;
}
