/** Which algorithm signs tokens: HMAC with SHA-256, SHA-384 or SHA-512 (RFC 7518 §3.2). */
export type Algorithm = "HS256" | "HS384" | "HS512";

/** How long tokens and sessions last, and how refresh tokens rotate. */
export interface SessionSettings {
  /**
   * How long an access token is valid. Nodes keep a revocation for the same time, so revoke all sessions if you shorten it:
   * an older access token could outlive its revocation. Default: 30 minutes.
   */
  readonly accessTokenLifetime: number;
  /** How long a session lasts without a refresh. Every refresh starts this time again. Default: 30 days. */
  readonly refreshTokenLifetime: number;
  /** How long a session lasts at most, no matter how often it is refreshed. Default: 365 days. */
  readonly sessionLifetime: number;
  /**
   * Whether a refresh returns a new refresh token and spends the presented one. With `false`, it returns no refresh token.
   * With `"observe"`, it returns one, and the older ones stay valid: refreshes with a token that rotation would have spent are
   * counted, before you turn rotation on. Only `true` detects reuse. Default: true.
   */
  readonly rotateRefreshTokens: boolean | "observe";
  /** Can only be true: a session is one row, so no rotated token can stay valid. Default: true. */
  readonly blacklistAfterRotation: true;
  /**
   * The grace period: how long after a rotation the spent token still gets the same successor; at most 60 seconds.
   * Default: 10 seconds.
   */
  readonly reuseInterval: number;
  /** Whether a login sets the user's `lastLoginAt`. Default: true. */
  readonly updateLastLogin: boolean;
}

/** The form of tokens, and how they are verified. */
export interface TokenSettings {
  /** The algorithm of the signing key: HS256, HS384 or HS512. Default: "HS256". */
  readonly algorithm: Algorithm;
  /** The `aud` of every token. A token without it is refused. Default: none. */
  readonly audience: string | undefined;
  /** The `iss` of every token. A token without it is refused. Default: none. */
  readonly issuer: string | undefined;
  /** By how much `exp`, `iat` and `nbf` may be off; at most 5 minutes. Default: 0 seconds. */
  readonly leeway: number;
  /** The claim that holds the user's id. Default: "user_id". */
  readonly userIdClaim: string;
  /** The claim that tells access tokens from refresh tokens. Default: "token_type". */
  readonly tokenTypeClaim: string;
  /** The claim that holds the token's id. Default: "jti". */
  readonly jtiClaim: string;
  /**
   * How many verified access tokens a node remembers, about 1 kB each. A remembered token skips signature verification; its
   * times and revocations are still checked. 0 turns this off. Default: 1000.
   */
  readonly verifyCacheSize: number;
}

/** How long a node answers without news from the database. */
export interface RevocationSettings {
  /** How old a node's knowledge of revocations may be before `onStale` applies. Default: 10 seconds. */
  readonly maxStaleness: number;
  /**
   * What to do with a request while the revocations are too stale: `"refuse"` it with 503, or `"lookup"` its token in the
   * store. If the store doesn't answer, a lookup is a 503 too. Default: "refuse".
   */
  readonly onStale: "refuse" | "lookup";
}
