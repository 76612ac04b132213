import type { ApplicationClaims } from "../claims.ts";
import type { ClientInfo } from "../client-info.ts";
import type { AuthError } from "../errors.ts";
import type { SuspiciousLogin } from "../suspicious-login.ts";
import type { AuthUser, User } from "../user.ts";
import { days, minutes } from "./durations.ts";
import { owaspCost } from "./password-cost.ts";

/** The algorithms a signing key may have. One key, one algorithm. */
export type Algorithm = "HS256" | "HS384" | "HS512";

/**
 * Every setting but the store and the key, with its default. Names are simplejwt's in camelCase; durations are whole
 * seconds. This table is the reference: `defaultSettings` has the values.
 */
export interface Settings<U extends AuthUser = User, C extends object = ApplicationClaims> {
  /**
   * How long an access token lives, and so how long a node must remember a revocation: after shortening it, end all
   * sessions, or older tokens outlive that memory. Default: 30 minutes.
   */
  readonly accessTokenLifetime: number;
  /** How long a session lives unused; slides with every refresh. Default: 30 days. */
  readonly refreshTokenLifetime: number;
  /** How long a session lives at most; never moves. Default: 365 days. */
  readonly sessionLifetime: number;
  /** Whether a refresh gives a new refresh token. Off, reuse cannot be detected. Default: true. */
  readonly rotateRefreshTokens: boolean;
  /** Only `true`: one row per session leaves no old token that could stay valid. Default: true. */
  readonly blacklistAfterRotation: true;
  /** Whether a login sets the user's `lastLoginAt`. Default: false. */
  readonly updateLastLogin: boolean;
  /** How tokens are signed: HS256, HS384 or HS512. Default: "HS256". */
  readonly algorithm: Algorithm;
  /** `aud` of every token, required and exact when verifying. Default: none. */
  readonly audience: string | undefined;
  /** `iss` of every token, required and exact when verifying. Default: none. */
  readonly issuer: string | undefined;
  /** Seconds by which `exp`, `iat` and `nbf` may be off, at most 300. Default: 0. */
  readonly leeway: number;
  /** Accepted schemes of the header, compared without regard to case. Default: ["Bearer"]. */
  readonly authHeaderTypes: readonly string[];
  /** The header that carries a bearer token. Default: "Authorization". */
  readonly authHeaderName: string;
  /** The claim with the user's id. Default: "user_id". */
  readonly userIdClaim: string;
  /** The claim that tells access from refresh tokens. Default: "token_type". */
  readonly tokenTypeClaim: string;
  /** The claim with the token's id. Default: "jti". */
  readonly jtiClaim: string;
  /**
   * How many verified access tokens a node remembers, about 1 kB each, so that the next request with one of them costs no
   * signature; its times and its revocation are checked every time. 0 remembers none. Default: 1000.
   */
  readonly verifyCacheSize: number;
  /** Ask the store on every request whether the user is still active: a lookup. Default: false. */
  readonly checkUserIsActive: boolean;
  /** Load the user on every request and hand it over: a lookup. Default: false. */
  readonly loadUser: boolean;
  /** Seconds after a rotation in which the spent token is answered with the same successor, at most 60. Default: 10. */
  readonly reuseInterval: number;
  /** Seconds after which revocations are too old to answer from; what happens then says `onStale`. Default: 10. */
  readonly maxStaleness: number;
  /**
   * What becomes of a request while the revocations are too old: `"refuse"` it with 503, or `"lookup"` in the store
   * whether its token is revoked, which is 503 too where the store does not answer. Default: "refuse".
   */
  readonly onStale: "refuse" | "lookup";
  /**
   * Days for which the audit log keeps its entries, which go when dead rows are deleted; 0 for no audit log. Default: 90.
   */
  readonly auditRetention: number;
  /** Whether the audit log has ordinary refreshes too: one more row for each. Default: false. */
  readonly auditRotations: boolean;
  /**
   * Where a message is sent about a theft, a new device, and a new password: https, or http on this machine. Default: none.
   */
  readonly webhookUrl: string | undefined;
  /** What signs those messages: at least 24 random bytes in base64, `whsec_` before them or not. Default: none. */
  readonly webhookSecret: string | undefined;
  /** Where the token endpoints are. Default: "/api/token". */
  readonly tokenPath: string;
  /** Where the cookie endpoints are, and the refresh cookie goes. Default: "/api/auth". */
  readonly authPath: string;
  /** The cookie with the access token. Default: "__Host-Http-access". */
  readonly accessCookieName: string;
  /** The cookie with the refresh token. Default: "__Secure-refresh". */
  readonly refreshCookieName: string;
  /** The cookie with the CSRF token, which scripts may read. Default: "__Host-csrftoken". */
  readonly csrfCookieName: string;
  /** The header that brings the CSRF token back. Default: "X-CSRFToken". */
  readonly csrfHeaderName: string;
  /** `SameSite` of the access and the CSRF cookie; the refresh cookie is always Strict. Default: "Lax". */
  readonly cookieSameSite: "Strict" | "Lax" | "None";
  /** `Domain` of the cookies; rules out names that start with `__Host-`. Default: none, this host only. */
  readonly cookieDomain: string | undefined;
  /** Cookies over plain http on another host than localhost: no `Secure`, no name prefixes. Default: false. */
  readonly insecureCookies: boolean;
  /** Other origins whose pages may use the cookies, such as "https://app.example.com". Default: none. */
  readonly trustedOrigins: readonly string[];
  /** The cookie by which a device that has logged in before keeps its own allowance. Default: "__Secure-device". */
  readonly deviceCookieName: string;
  /**
   * Consecutive failures after which an account lets nobody in until it is unlocked, at most 100 (NIST SP 800-63B-4 §3.2.2);
   * the last tenth is for devices that have logged in before. 0: no end. Default: 100.
   */
  readonly maxLoginFailures: number;
  /** Failures on one account from one address, or from one known device, before delays begin. 0: none do. Default: 5. */
  readonly loginFailuresBeforeDelay: number;
  /** Failures on one account, from all addresses together, before delays begin. 0: none do. Default: 20. */
  readonly accountFailuresBeforeDelay: number;
  /** Failures from one address within an hour, over all accounts, before delays begin. 0: none do. Default: 50. */
  readonly addressFailuresBeforeDelay: number;
  /** The first delay, in seconds; it doubles with every failure. Default: 5. */
  readonly loginDelay: number;
  /** The longest delay. Default: 15 minutes. */
  readonly maxLoginDelay: number;
  /** Refreshes per minute and address, on each node. 0: any number. Default: 3000. */
  readonly refreshLimit: number;
  /** Calls of the verify endpoint per minute and address, on each node. 0: any number. Default: 6000. */
  readonly verifyLimit: number;
  /** Calls of the blacklist endpoint per minute and address, on each node. 0: any number. Default: 600. */
  readonly blacklistLimit: number;
  /** The proxies whose `forwardedHeader` is believed: addresses and networks such as "10.0.0.0/8". Default: none. */
  readonly trustedProxies: readonly string[];
  /** Where trusted proxies name the client: "X-Forwarded-For" or "Forwarded" (RFC 7239). Default: "X-Forwarded-For". */
  readonly forwardedHeader: "X-Forwarded-For" | "Forwarded";
  /** Whether `Alice` and `alice` are two users. Choose before the first user exists. Default: false. */
  readonly usernameCaseSensitive: boolean;
  /**
   * The least number of characters of a new password, from 8 to 64; take 15 where the password is the only factor (NIST SP
   * 800-63B-4). Default: 8.
   */
  readonly minPasswordLength: number;
  /** KiB of memory that hashing a password takes, at most 262,144 (256 MiB). Default: 19,456 (19 MiB). */
  readonly passwordMemoryCost: number;
  /** Passes over that memory; together at most 1 GiB. Default: 2. */
  readonly passwordTimeCost: number;
  /** Threads of one hash. Default: 1. */
  readonly passwordParallelism: number;
  /**
   * Secrets that go into password hashes and are not in the database, each as "id:key": an id of at most eight letters,
   * digits, - and _, and a key of at least 16 characters without space and comma; make one with `openssl rand -hex 32`. The
   * first is for new hashes, the others for hashes that name them. Default: none.
   */
  readonly passwordPeppers: readonly string[];
  /**
   * How many passwords are hashed at a time; more than 3 need a larger `UV_THREADPOOL_SIZE` too. Default: one per core but
   * one, at least 1 and at most 3.
   */
  readonly passwordHashConcurrency: number | undefined;
  /** How many more may wait for that; the next one is answered 503 at once. Default: 64. */
  readonly passwordQueueLimit: number;
  /** Whether Django's salted MD5 hashes let users in, until their next login replaces them. Default: false. */
  readonly acceptMd5PasswordHashes: boolean;
  /** Whether this user may have tokens, at login and at every refresh. Default: `user.isActive`. */
  readonly userAuthenticationRule: ((user: U) => boolean) | undefined;
  /** More claims for this user's tokens; asked again at every refresh. Default: none. */
  readonly claims: ((user: U) => C | Promise<C>) | undefined;
  /** Checks credentials against a user table of your own. Needs `findUser` too. Default: tokenpair's own table. */
  readonly verifyCredentials: ((username: string, password: string) => Promise<U | null>) | undefined;
  /** Finds a user of a table of your own, at login and at every refresh. Default: tokenpair's own table. */
  readonly findUser: ((id: string) => Promise<U | null>) | undefined;
  /** Called after a login, before its answer. What it throws refuses the login with 503. Default: none. */
  readonly onLoginSuccess: ((user: U, client: ClientInfo) => void | Promise<void>) | undefined;
  /** Called after a refused login, before its answer. What it throws changes nothing. Default: none. */
  readonly onLoginFailed: ((error: AuthError, client: ClientInfo) => void | Promise<void>) | undefined;
  /**
   * Called when a login succeeds on an unknown device after failures, or an account reaches one of its limits. Nobody waits
   * for it, and what it throws changes nothing. Default: none.
   */
  readonly onSuspiciousLogin: ((login: SuspiciousLogin<U>) => void | Promise<void>) | undefined;
}

/** The defaults of `Settings`. */
export const defaultSettings = Object.freeze({
  accessTokenLifetime: minutes(30),
  refreshTokenLifetime: days(30),
  sessionLifetime: days(365),
  rotateRefreshTokens: true,
  blacklistAfterRotation: true,
  updateLastLogin: false,
  algorithm: "HS256",
  audience: undefined,
  issuer: undefined,
  leeway: 0,
  authHeaderTypes: Object.freeze(["Bearer"]),
  authHeaderName: "Authorization",
  userIdClaim: "user_id",
  tokenTypeClaim: "token_type",
  jtiClaim: "jti",
  verifyCacheSize: 1_000,
  checkUserIsActive: false,
  loadUser: false,
  reuseInterval: 10,
  maxStaleness: 10,
  onStale: "refuse",
  auditRetention: 90,
  auditRotations: false,
  webhookUrl: undefined,
  webhookSecret: undefined,
  tokenPath: "/api/token",
  authPath: "/api/auth",
  accessCookieName: "__Host-Http-access",
  refreshCookieName: "__Secure-refresh",
  csrfCookieName: "__Host-csrftoken",
  csrfHeaderName: "X-CSRFToken",
  cookieSameSite: "Lax",
  cookieDomain: undefined,
  insecureCookies: false,
  trustedOrigins: Object.freeze([]),
  deviceCookieName: "__Secure-device",
  maxLoginFailures: 100,
  loginFailuresBeforeDelay: 5,
  accountFailuresBeforeDelay: 20,
  addressFailuresBeforeDelay: 50,
  loginDelay: 5,
  maxLoginDelay: minutes(15),
  refreshLimit: 3_000,
  verifyLimit: 6_000,
  blacklistLimit: 600,
  trustedProxies: Object.freeze([]),
  forwardedHeader: "X-Forwarded-For",
  usernameCaseSensitive: false,
  minPasswordLength: 8,
  passwordMemoryCost: owaspCost.memoryCost,
  passwordTimeCost: owaspCost.timeCost,
  passwordParallelism: owaspCost.parallelism,
  passwordPeppers: Object.freeze([]),
  passwordHashConcurrency: undefined,
  passwordQueueLimit: 64,
  acceptMd5PasswordHashes: false,
  userAuthenticationRule: undefined,
  claims: undefined,
  verifyCredentials: undefined,
  findUser: undefined,
  onLoginSuccess: undefined,
  onLoginFailed: undefined,
  onSuspiciousLogin: undefined,
}) satisfies Settings<AuthUser>;
