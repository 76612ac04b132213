import { days, hours, minutes } from "./durations.ts";
import { type LegacyAlgorithm, legacyUntilPattern } from "./legacy-settings.ts";
import { costLimits, minMemoryPerThread } from "./password-cost.ts";
import { pepperPattern } from "./peppers.ts";
import type { Algorithm } from "./session-settings.ts";
import type { Settings } from "./settings.ts";

/** What the value of a setting must be. `createAuth`, the config file and the environment share these rules. */
export type SettingRule =
  | ({ readonly type: "seconds" } & Range & Nullable)
  /** A number of seconds that may have a fraction. */
  | ({ readonly type: "decimal seconds" } & Range & Nullable)
  | ({ readonly type: "count"; readonly of: string } & Range & Nullable)
  | { readonly type: "boolean" }
  /** The value must be `true`. `why` explains the reason. */
  | { readonly type: "true"; readonly why: string }
  | { readonly type: "choice"; readonly choices: readonly (string | boolean)[] }
  | ({ readonly type: "text"; readonly optional?: true } & Form)
  | ({ readonly type: "texts"; readonly atLeast: number; readonly example?: string } & Form)
  /** A list of IP addresses, networks, and "unix". */
  | { readonly type: "networks" }
  | { readonly type: "function" };

/** The range of a number. `min` and `max` are allowed values. */
interface Range {
  readonly min: number;
  readonly max: number;
}

interface Nullable {
  /** Whether the value may be `null`, which means "no limit". In the environment, it is written "none". */
  readonly nullable?: true;
}

/** The form that a text must have. */
interface Form {
  readonly pattern: RegExp;
  /** A description of the pattern, for error messages. */
  readonly form: string;
  /** Whether a value may be a secret. If so, no error message shows it. Default: false. */
  readonly secret?: true;
}

const boolean = { type: "boolean" } as const;
const hook = { type: "function" } as const;
const seconds = (min: number, max: number) => ({ type: "seconds", min, max }) as const;
const decimalSeconds = (min: number, max: number) => ({ type: "decimal seconds", min, max }) as const;
const nullable = { nullable: true } as const;
const count = (of: string, min: number, max: number) => ({ type: "count", of, min, max }) as const;

/** The form of a token in HTTP, such as a header name (RFC 9110 §5.6.2). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const headerName = { type: "text", pattern: token, form: "an HTTP header name" } as const;
const cookieName = { type: "text", pattern: token, form: "a cookie name" } as const;
const claimName = { type: "text", pattern: /^\S+$/, form: "a claim name without spaces" } as const;
const anyText = { type: "text", pattern: /./, form: "a text that is not empty", optional: true } as const;
const path = {
  type: "text",
  pattern: /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_~.-]+)+$/,
  form: 'a path such as "/api/auth": a slash first, none at the end, no "." or ".."',
} as const;

/**
 * Matches an origin, all origins below a domain ("https://*.example.com"), or the origin of an app's pages. An app's origin
 * must have a scheme that only this app uses: with schemes such as `file:`, browsers send the same origin, or `null`, for
 * pages of all apps.
 */
const originPattern = new RegExp(
  [
    String.raw`^(?:https://(?!.*:443$)|http://(?!.*:80$))(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d+)?$`,
    String.raw`^https://\*(?:\.[a-z0-9-]+)+\.[a-z][a-z0-9-]*(?!:443$)(?::\d+)?$`,
    String.raw`^(?!(?:https?|wss?|ftp|file|filesystem|blob|data|about|javascript):)[a-z][a-z0-9+.-]*://[\w.~-]+(?::\d+)?$`,
  ].join("|"),
);

/** Every algorithm that a signing key may have. */
const algorithms = [
  "HS256",
  "HS384",
  "HS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
] as const satisfies readonly Algorithm[];

/** The algorithms that simplejwt knows. */
const legacyAlgorithms = [
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
] as const satisfies readonly LegacyAlgorithm[];

/**
 * The form of `keyEncryptionKey`: a key, or a list of keys, each with or without an id. 32 bytes are 43 characters in
 * base64url.
 */
const kekPattern = /^(?:[\w.-]{1,32}:)?[\w-]{43}(?:,(?:[\w.-]{1,32}:)?[\w-]{43})*$/;

/** The rule of every setting. */
export const settingRules = Object.freeze({
  accessTokenLifetime: seconds(1, days(1)),
  refreshTokenLifetime: seconds(1, days(3_650)),
  sessionLifetime: seconds(1, days(3_650)),
  rotateRefreshTokens: { type: "choice", choices: [true, false, "observe"] },
  blacklistAfterRotation: { type: "true", why: "a session is one row, so no rotated token can stay valid" },
  reuseInterval: seconds(0, 60),
  updateLastLogin: boolean,
  maxSessionsPerUser: { ...count("sessions", 1, 100_000), ...nullable },

  algorithm: { type: "choice", choices: algorithms },
  keyEncryptionKey: {
    type: "text",
    pattern: kekPattern,
    form: '32 random bytes in base64url, such as from: tokenpair keys generate --kek; or a list "id:key,id:key"',
    optional: true,
    secret: true,
  },
  accessTokenProfile: { type: "choice", choices: ["jwt", "rfc9068"] },
  clientId: { type: "text", pattern: /^[\x21-\x7e]+$/, form: "printable ASCII characters without spaces" },
  audience: anyText,
  issuer: anyText,
  leeway: seconds(0, minutes(5)),
  clockTolerance: seconds(0, minutes(5)),
  userIdClaim: claimName,
  tokenTypeClaim: claimName,
  jtiClaim: claimName,
  verifyCacheSize: count("tokens", 0, 1_000_000),

  legacyRefreshUntil: {
    type: "text",
    pattern: legacyUntilPattern,
    form: 'a date such as "2026-09-30" or a time such as "2026-09-30T18:00:00Z"',
    optional: true,
  },
  legacyRefreshAlgorithm: { type: "choice", choices: legacyAlgorithms },

  maxStaleness: decimalSeconds(0.25, 3_600),
  onStale: { type: "choice", choices: ["wait", "refuse", "lookup"] },
  confirmRevocations: boolean,
  confirmTimeout: decimalSeconds(0, 60),
  signalMaxStaleness: { ...decimalSeconds(1, 3_600), ...nullable },
  maxFeedStreams: count("streams", 1, 1_000_000),
  maxFeedLease: decimalSeconds(0.25, 3_600),
  maxSessionStreams: count("streams", 0, 1_000_000),
  heartbeat: { type: "choice", choices: ["auto", "write", "read"] },
  nodeName: anyText,

  tokenPath: path,
  authPath: path,
  publicPath: {
    ...path,
    form: 'a path such as "/account": a slash first, none at the end, no "." or ".."',
    optional: true,
  },
  authHeaderName: headerName,
  authHeaderTypes: {
    type: "texts",
    pattern: token,
    form: 'authentication schemes such as "Bearer"',
    atLeast: 1,
    example: "Bearer",
  },
  trustedProxies: { type: "networks" },
  forwardedHeader: { type: "choice", choices: ["X-Forwarded-For", "Forwarded"] },

  accessCookieName: cookieName,
  refreshCookieName: cookieName,
  csrfCookieName: cookieName,
  deviceCookieName: cookieName,
  csrfHeaderName: headerName,
  cookieSameSite: { type: "choice", choices: ["Strict", "Lax", "None"] },
  cookieDomain: {
    type: "text",
    pattern: /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/,
    form: 'a domain such as "example.com"',
    optional: true,
  },
  insecureCookies: boolean,
  checkCsrf: boolean,
  clearSiteData: boolean,
  trustedOrigins: {
    type: "texts",
    pattern: originPattern,
    form: 'origins such as "https://app.example.com", "https://*.example.com" or "capacitor://localhost" (lower case, no path, no default port)',
    atLeast: 0,
    example: "https://app.example.com",
  },

  usernameCaseSensitive: boolean,
  checkUserIsActive: boolean,
  loadUser: boolean,
  userAuthenticationRule: hook,
  claims: hook,
  publicClaims: hook,
  verifyCredentials: hook,
  findUser: hook,

  afterPassword: hook,
  verifySecondFactor: hook,
  ticketLifetime: seconds(10, hours(1)),
  onLoginSuccess: hook,
  onLoginFailed: hook,
  onSuspiciousLogin: hook,

  minPasswordLength: count("characters", 8, 64),
  passwordMemoryCost: count("KiB", minMemoryPerThread, costLimits.memory),
  passwordTimeCost: count("passes", 1, 1_000),
  passwordParallelism: count("threads", 1, costLimits.parallelism),
  passwordPeppers: {
    type: "texts",
    pattern: pepperPattern,
    form: 'peppers as "id:key": at most 8 letters, digits, - or _, a colon, at least 16 characters without space or comma',
    atLeast: 0,
    secret: true,
  },
  passwordHashConcurrency: count("hashes", 1, 256),
  passwordQueueLimit: count("hashes", 0, 10_000),
  acceptMd5PasswordHashes: boolean,

  maxLoginFailures: count("failures", 0, 100),
  loginFailuresBeforeDelay: count("failures", 0, 100),
  accountFailuresBeforeDelay: count("failures", 0, 100),
  addressFailuresBeforeDelay: count("failures", 0, 1_000_000),
  loginDelay: seconds(1, hours(1)),
  maxLoginDelay: seconds(1, days(1)),
  refreshLimit: count("requests", 0, 1_000_000),
  verifyLimit: count("requests", 0, 1_000_000),
  blacklistLimit: count("requests", 0, 1_000_000),
  serviceFailureLimit: count("requests", 0, 1_000_000),

  auditRetention: count("days", 0, 3_650),
  auditRotations: boolean,

  webhookUrl: {
    type: "text",
    pattern: /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?)(?:[/?][^\s#]*)?$/,
    form: "an https URL without a password in it, or an http URL of this machine",
    optional: true,
    secret: true,
  },
  webhookSecret: {
    type: "text",
    pattern: /^(?:whsec_)?(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2,3}={0,2})?$/,
    form: "at least 24 random bytes in base64, such as from: openssl rand -base64 32",
    optional: true,
    secret: true,
  },
} satisfies Record<keyof Settings, SettingRule>);
