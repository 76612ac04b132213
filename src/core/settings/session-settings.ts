/** Which algorithm signs access tokens (RFC 7518 §3, RFC 8037 §3.1). The HMAC algorithms, `HS…`, verify with the key that signs. */
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
  /** How long an access token is valid. You can shorten it at any time: revocations stay in force for older tokens. Default: 30 minutes. */
  readonly accessTokenLifetime: number;
  /** How long a session lasts without a refresh. Every refresh starts this time again. Default: 30 days. */
  readonly refreshTokenLifetime: number;
  /** How long a session lasts at most, no matter how often it is refreshed. Default: 365 days. */
  readonly sessionLifetime: number;
  /**
   * Whether a refresh returns a new refresh token and spends the presented one. With `false`, it returns no refresh token.
   * With `"observe"`, it returns one, but the older ones stay valid. The server then counts the refreshes with a token that
   * rotation would have spent. Use it before you turn rotation on. Only `true` detects reuse. Default: true.
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
  /**
   * How many live sessions a user may have. A login beyond that revokes the user's least recently used one. `null`: no limit.
   * Default: 100.
   */
  readonly maxSessionsPerUser: number | null;
}

/** The form of tokens, and how they are verified. */
export interface TokenSettings {
  /**
   * The algorithm that signs access tokens: HS256, ES256, EdDSA, RS256, or one of HS384, HS512, ES384, ES512, RS384, RS512,
   * PS256, PS384 and PS512. It must fit `signingKey`. Without `signingKey`, new keys of the key ring are made for it. Default:
   * the one that fits `signingKey`: HS256 for a secret, RS256 for RSA; ES256 for new keys of the key ring.
   */
  readonly algorithm: Algorithm | undefined;
  /**
   * The keys that seal the private keys in the database: 32 random bytes in base64url, or a list "id:key,id:key". The first key
   * of a list seals, and all its keys can open. Without `signingKey`, turns on the key ring: the database holds the keys that sign, and
   * `tokenpair keys rotate` replaces them. Default: none.
   */
  readonly keyEncryptionKey: string | undefined;
  /**
   * The form of access tokens. `"rfc9068"` adds `sub` and `client_id` and sets the header's `typ` to `at+jwt` (RFC 9068). It
   * needs `issuer` and `audience`. Default: "jwt".
   */
  readonly accessTokenProfile: "jwt" | "rfc9068";
  /** The `client_id` of access tokens with `accessTokenProfile: "rfc9068"`. Default: "tokenpair". */
  readonly clientId: string;
  /** The `aud` of every access token. An access token without it is refused. Default: none. */
  readonly audience: string | undefined;
  /**
   * The `iss` of every access token: an https URL if other services verify the tokens. An access token without it is refused.
   * Default: none.
   */
  readonly issuer: string | undefined;
  /** For how long a token is still accepted after its `exp`; at most 5 minutes. Default: 0 seconds. */
  readonly leeway: number;
  /**
   * By how much `iat` and `nbf` may be in the future, because the clocks of nodes differ; at most 5 minutes. Default: 60
   * seconds.
   */
  readonly clockTolerance: number;
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

/** How long a node answers without news from the database, and whether revocations are confirmed. */
export interface RevocationSettings {
  /**
   * How old a node's knowledge of revocations may be before `onStale` applies; from 0.25 to 3,600 seconds, with fractions. A
   * node that can't reach the database accepts a revoked token for this long at most. 1 second is the strict mode. Default:
   * 10 seconds.
   */
  readonly maxStaleness: number;
  /**
   * What to do with a request while the revocations are too stale: `"wait"` up to half a second for the read that is in
   * flight, `"refuse"` the request with 503, or `"lookup"` its token in the store. A wait or a lookup that fails is a 503 too.
   * Default: "wait".
   */
  readonly onStale: "wait" | "refuse" | "lookup";
  /**
   * Whether the server waits, before it answers, until no node accepts the revoked tokens. Applies to revocations by an operator,
   * of several sessions, or by a new password, but not to a user's own logout. Turn it off while nodes of version 0.1 run:
   * they can't confirm. Default: true.
   */
  readonly confirmRevocations: boolean;
  /** How long an answer waits for the confirmation, in seconds; 0 doesn't wait. Default: 3 seconds. */
  readonly confirmTimeout: number;
  /**
   * How stale the revocations may get before the signals of `auth.signal` abort, in seconds; `null`: they don't. Set it to
   * `maxStaleness` if a confirmed revocation must also have closed every socket. Default: 10 seconds.
   */
  readonly signalMaxStaleness: number | null;
  /**
   * How a node proves that it reads the primary database: with `"write"`, every read of the revocation feed also writes; with
   * `"auto"` it does so only if the server has synchronous standbys. Default: "auto".
   */
  readonly heartbeat: "auto" | "write" | "read";
  /**
   * How many streams of the revocation feed a node serves to other services at once, and as many long polls. Further ones are
   * refused with 429. Default: 10,000.
   */
  readonly maxFeedStreams: number;
  /** The name of this node for operators. Default: none; `tokenpair serve` uses the name of the host. */
  readonly nodeName: string | undefined;
}
