/** The kind of a token: its claim `token_type`. */
export type TokenType = "access" | "refresh";

/** The application's own claims in an access token: any JSON object. */
export type ApplicationClaims = Record<string, unknown>;

/**
 * The claims of a verified access token, under names that don't depend on the settings. Times are whole seconds since
 * the epoch. Deeply frozen unless `verifyCacheSize` is 0, because requests with the same token share the object.
 */
export interface AccessClaims<C extends object = ApplicationClaims> {
  readonly type: "access";
  /** `user_id`, or the claim that the setting `userIdClaim` names. */
  readonly userId: string;
  /** `sid`. */
  readonly sessionId: string;
  /** `ue`: the user's epoch when the token was issued. A higher epoch revokes the token. */
  readonly userEpoch: number;
  /** `ge`: the global epoch when the token was issued; `null` if the token has none, as version 0.1's. A higher one revokes the token. */
  readonly globalEpoch: number | null;
  /** `jti`: identifies the token. Safe to log. */
  readonly tokenId: string;
  /** `iat`; 0 if the token has none. tokenpair's own tokens always have one. */
  readonly issuedAt: number;
  /** `exp`. */
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
  /** `user_id`, or the claim that the setting `userIdClaim` names. */
  readonly userId: string;
  /** `sid`. */
  readonly sessionId: string;
  /** `ue`: the user's epoch when the token was issued. */
  readonly userEpoch: number;
  /** `jti`: identifies the token. Safe to log. */
  readonly tokenId: string;
  /** `iat`. */
  readonly issuedAt: number;
  /** `exp`. */
  readonly expiresAt: number;
  /** `gen`: how often the session had been rotated. */
  readonly generation: number;
  /** The generation's 32 bytes. Never log, store or return them. */
  readonly secret: Uint8Array;
}

/** An access and a refresh token of one session. */
export interface TokenPair {
  /** The access token. */
  readonly access: string;
  /** The refresh token. */
  readonly refresh: string;
  /** Seconds until the access token expires. */
  readonly accessExpiresIn: number;
  /** Seconds until the refresh token expires. */
  readonly refreshExpiresIn: number;
}
