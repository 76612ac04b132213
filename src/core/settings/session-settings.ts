/**
 * The algorithm that signs access tokens (RFC 7518 §3, RFC 8037 §3.1). With the HMAC algorithms, `HS…`, the key that signs
 * is also the key that verifies.
 */
export type Algorithm =
  | "HS256"
  | "HS384"
  | "HS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512";

/** How long tokens and sessions last, and how refresh tokens rotate. */
export interface SessionSettings {
  /**
   * How long an access token is valid, in seconds. You can shorten it at any time: revocations still cover the tokens that
   * were issued before. Default: 1,800 (30 minutes).
   */
  readonly accessTokenLifetime: number;
  /**
   * How long a session lasts without a refresh, in seconds. Every refresh starts this time again. Default: 2,592,000 (30
   * days).
   */
  readonly refreshTokenLifetime: number;
  /**
   * The longest time that a session can last, in seconds, no matter how often it is refreshed. Default: 31,536,000 (365
   * days).
   */
  readonly sessionLifetime: number;
  /**
   * Whether a refresh returns a new refresh token and spends the presented one. With `false`, a refresh returns no refresh
   * token. With `"observe"`, it returns one, but the older ones stay valid, and the server counts how often clients present
   * a token that rotation would have spent. Use `"observe"` before you turn rotation on. Only `true` detects reuse.
   * Default: true.
   */
  readonly rotateRefreshTokens: boolean | "observe";
  /**
   * Must be true, because a session is one row: after a rotation, no earlier token can stay valid. Exists for compatibility
   * with simplejwt's settings. Default: true.
   */
  readonly blacklistAfterRotation: true;
  /**
   * The grace period, in seconds: for this long after a rotation, a request with the spent token still gets the same
   * new token. At most 60. Default: 10.
   */
  readonly reuseInterval: number;
  /** Whether a login sets the user's `lastLoginAt`. Default: true. */
  readonly updateLastLogin: boolean;
  /**
   * How many live sessions a user may have. A login beyond this number revokes the user's least recently used session.
   * `null` means no limit. Default: 100.
   */
  readonly maxSessionsPerUser: number | null;
}

/** The form of tokens, and how they are verified. */
export interface TokenSettings {
  /**
   * The algorithm that signs access tokens: HS256, ES256, EdDSA, RS256, or one of HS384, HS512, ES384, ES512, RS384, RS512,
   * PS256, PS384 and PS512. It must fit `signingKey`. Without `signingKey`, new keys of the key ring use it. Default: the
   * one that fits `signingKey`: HS256 for a secret, RS256 for RSA; ES256 for new keys of the key ring.
   */
  readonly algorithm: Algorithm | undefined;
  /**
   * The keys that encrypt the private keys in the database: 32 random bytes in base64url, or a list "id:key,id:key".
   * The first key of a list encrypts, and every key in it can decrypt. Without `signingKey`, this setting turns on the
   * key ring: the signing keys are in the database, and `tokenpair keys rotate` replaces them. Default: none.
   */
  readonly keyEncryptionKey: string | undefined;
  /**
   * The format of access tokens. `"rfc9068"` adds `sub` and `client_id`, and sets the header's `typ` to `at+jwt` (RFC
   * 9068). It needs `issuer` and `audience`. Default: "jwt".
   */
  readonly accessTokenProfile: "jwt" | "rfc9068";
  /** The `client_id` of access tokens with `accessTokenProfile: "rfc9068"`. Default: "tokenpair". */
  readonly clientId: string;
  /** The `aud` of every access token. An access token without it is refused. Default: none. */
  readonly audience: string | undefined;
  /**
   * The `iss` of every access token. It must be an https URL if other services verify the tokens. An access token without
   * it is refused. Default: none.
   */
  readonly issuer: string | undefined;
  /** How long after its `exp` a token is still accepted, in seconds. At most 300 (5 minutes). Default: 0. */
  readonly leeway: number;
  /**
   * How many seconds in the future `iat` and `nbf` may be, because the clocks of nodes differ. At most 300 (5 minutes).
   * Default: 60.
   */
  readonly clockTolerance: number;
  /** The claim that holds the user's id. Default: "user_id". */
  readonly userIdClaim: string;
  /** The claim that distinguishes access tokens from refresh tokens. Default: "token_type". */
  readonly tokenTypeClaim: string;
  /** The claim that holds the token's id. Default: "jti". */
  readonly jtiClaim: string;
  /**
   * How many verified access tokens a node remembers, at about 1 kB each. For a remembered token, the node skips signature
   * verification, but still checks the times and the revocations. 0 turns this off. Default: 1000.
   */
  readonly verifyCacheSize: number;
}

/** How long a node may answer without news from the database, and whether revocations are confirmed. */
export interface RevocationSettings {
  /**
   * How old a node's knowledge of revocations may be before `onStale` applies, in seconds: from 0.25 to 3,600, fractions
   * allowed. A node that can't reach the database accepts a revoked token for at most this long. A value of 1 is the strict
   * mode in docs/operating.md. Default: 10.
   */
  readonly maxStaleness: number;
  /**
   * What a node does with a request if its knowledge of revocations is too old. `"wait"` waits up to half a second for the
   * read in progress, `"refuse"` answers 503, and `"lookup"` looks the token up in the store. If the wait or the lookup
   * fails, the answer is 503 too. Default: "wait".
   */
  readonly onStale: "wait" | "refuse" | "lookup";
  /**
   * Whether the server delays its answer until no node accepts the revoked tokens. Applies if an operator or a new password
   * revokes sessions, or if one request revokes several sessions. Does not apply when users log out of one session. Turn it
   * off while nodes of version 0.1 are running, because they can't confirm. Default: true.
   */
  readonly confirmRevocations: boolean;
  /** How long an answer waits for the confirmation, in seconds. 0 means that it doesn't wait. Default: 3. */
  readonly confirmTimeout: number;
  /**
   * How old the node's knowledge of revocations may be, in seconds, before the signals of `auth.signal` abort. `null`
   * means that they don't abort for this reason. If a confirmed revocation must also mean that every socket is closed,
   * set it to the value of `maxStaleness`. Default: 10.
   */
  readonly signalMaxStaleness: number | null;
  /**
   * How a node proves that it reads from the primary database. With `"write"`, every read of the revocation feed also
   * writes to the database, which a former primary can't commit. With `"read"`, reads don't write. `"auto"` writes only if
   * the database server has synchronous standbys. Default: "auto".
   */
  readonly heartbeat: "auto" | "write" | "read";
  /**
   * How many streams of the revocation feed a node serves to other services at once. The same limit applies to long
   * polls. Further requests are refused with 429. Default: 10,000.
   */
  readonly maxFeedStreams: number;
  /**
   * The longest `maxStaleness` of other services that read the revocation feed, in seconds. Requests for the feed with a
   * longer one are refused with 400, unless this node's own `maxStaleness` is as long. If such a service doesn't answer,
   * confirmed revocations wait that long. Default: 60.
   */
  readonly maxFeedLease: number;
  /**
   * How many streams of `session/events/` a node serves to pages at once. Further requests are refused with 429. With
   * 0, the endpoint answers 404. Default: 5,000.
   */
  readonly maxSessionStreams: number;
  /** The name of this node, shown to operators. Default: none; `tokenpair serve` uses the host name. */
  readonly nodeName: string | undefined;
}
