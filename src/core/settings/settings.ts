import type { ApplicationClaims } from "../claims.ts";
import type { AuthUser, User } from "../user.ts";
import type { AuditSettings, WebhookSettings } from "./audit-settings.ts";
import { days, minutes } from "./durations.ts";
import type { CookieSettings, HttpSettings, ThrottleSettings } from "./http-settings.ts";
import type { LegacySettings } from "./legacy-settings.ts";
import { owaspCost } from "./password-cost.ts";
import type { RevocationSettings, SessionSettings, TokenSettings } from "./session-settings.ts";
import type { LoginHookSettings, PasswordSettings, UserSettings } from "./user-settings.ts";

/**
 * Every setting except the store, the signing key and the secret. Durations are whole seconds; write them with
 * `minutes(15)` or `days(30)`. A setting that simplejwt also has is named like simplejwt's, in camelCase. docs/settings.md
 * is generated from these types.
 */
export interface Settings<U extends AuthUser = User, C extends object = ApplicationClaims>
  extends SessionSettings,
    TokenSettings,
    LegacySettings,
    RevocationSettings,
    HttpSettings,
    CookieSettings,
    UserSettings<U, C>,
    LoginHookSettings<U>,
    PasswordSettings,
    ThrottleSettings,
    AuditSettings,
    WebhookSettings {}

/** The default of every setting; `undefined` means "not set". */
export const defaultSettings: Settings<AuthUser> = Object.freeze({
  // SessionSettings
  accessTokenLifetime: minutes(30),
  refreshTokenLifetime: days(30),
  sessionLifetime: days(365),
  rotateRefreshTokens: true,
  blacklistAfterRotation: true,
  reuseInterval: 10,
  updateLastLogin: true,
  maxSessionsPerUser: 100,

  // TokenSettings
  algorithm: undefined,
  keyEncryptionKey: undefined,
  accessTokenProfile: "jwt",
  clientId: "tokenpair",
  audience: undefined,
  issuer: undefined,
  leeway: 0,
  clockTolerance: 60,
  userIdClaim: "user_id",
  tokenTypeClaim: "token_type",
  jtiClaim: "jti",
  verifyCacheSize: 1_000,

  // LegacySettings
  legacyRefreshUntil: undefined,
  legacyRefreshAlgorithm: undefined,

  // RevocationSettings
  maxStaleness: 10,
  onStale: "wait",
  confirmRevocations: true,
  confirmTimeout: 3,
  signalMaxStaleness: 10,
  heartbeat: "auto",
  maxFeedStreams: 10_000,
  maxFeedLease: 60,
  maxSessionStreams: 5_000,
  nodeName: undefined,

  // HttpSettings
  tokenPath: "/api/token",
  authPath: "/api/auth",
  publicPath: undefined,
  authHeaderName: "Authorization",
  authHeaderTypes: Object.freeze(["Bearer"]),
  trustedProxies: Object.freeze([]),
  forwardedHeader: "X-Forwarded-For",

  // CookieSettings
  accessCookieName: "__Host-Http-access",
  refreshCookieName: "__Secure-refresh",
  csrfCookieName: "__Host-csrftoken",
  deviceCookieName: "__Secure-device",
  csrfHeaderName: "X-CSRFToken",
  cookieSameSite: "Lax",
  cookieDomain: undefined,
  insecureCookies: false,
  checkCsrf: true,
  clearSiteData: false,
  trustedOrigins: Object.freeze([]),

  // UserSettings
  usernameCaseSensitive: false,
  checkUserIsActive: false,
  loadUser: false,
  userAuthenticationRule: undefined,
  claims: undefined,
  publicClaims: undefined,
  verifyCredentials: undefined,
  findUser: undefined,

  // LoginHookSettings
  afterPassword: undefined,
  verifySecondFactor: undefined,
  ticketLifetime: minutes(5),
  onLoginSuccess: undefined,
  onLoginFailed: undefined,
  onSuspiciousLogin: undefined,

  // PasswordSettings
  minPasswordLength: 8,
  passwordMemoryCost: owaspCost.memoryCost,
  passwordTimeCost: owaspCost.timeCost,
  passwordParallelism: owaspCost.parallelism,
  passwordPeppers: Object.freeze([]),
  passwordHashConcurrency: undefined,
  passwordQueueLimit: 64,
  acceptMd5PasswordHashes: false,

  // ThrottleSettings
  maxLoginFailures: 100,
  loginFailuresBeforeDelay: 5,
  accountFailuresBeforeDelay: 20,
  addressFailuresBeforeDelay: 50,
  loginDelay: 5,
  maxLoginDelay: minutes(15),
  refreshLimit: 3_000,
  verifyLimit: 6_000,
  blacklistLimit: 600,
  serviceFailureLimit: 60,

  // AuditSettings
  auditRetention: 90,
  auditRotations: false,

  // WebhookSettings
  webhookUrl: undefined,
  webhookSecret: undefined,
});
