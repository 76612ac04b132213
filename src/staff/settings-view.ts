import { defaultSettings, type Settings } from "../core/settings/settings.ts";
import type { AuthUser } from "../core/user.ts";
import type { StaffSetting } from "./api.ts";

/**
 * Whether the staff may see each setting of `createAuth`. A new setting is hidden until it is listed here. Secrets stay hidden, and so
 * do URLs that may contain one.
 */
const isShown = {
  accessTokenLifetime: true,
  refreshTokenLifetime: true,
  sessionLifetime: true,
  rotateRefreshTokens: true,
  blacklistAfterRotation: true,
  reuseInterval: true,
  updateLastLogin: true,
  maxSessionsPerUser: true,
  algorithm: true,
  keyEncryptionKey: false,
  accessTokenProfile: true,
  clientId: true,
  audience: true,
  issuer: true,
  leeway: true,
  clockTolerance: true,
  userIdClaim: true,
  tokenTypeClaim: true,
  jtiClaim: true,
  verifyCacheSize: true,
  legacyRefreshUntil: true,
  legacyRefreshAlgorithm: true,
  maxStaleness: true,
  onStale: true,
  confirmRevocations: true,
  confirmTimeout: true,
  signalMaxStaleness: true,
  maxFeedStreams: true,
  maxFeedLease: true,
  maxSessionStreams: true,
  heartbeat: true,
  nodeName: true,
  tokenPath: true,
  authPath: true,
  publicPath: true,
  authHeaderName: true,
  authHeaderTypes: true,
  trustedProxies: true,
  forwardedHeader: true,
  accessCookieName: true,
  refreshCookieName: true,
  csrfCookieName: true,
  deviceCookieName: true,
  csrfHeaderName: true,
  cookieSameSite: true,
  cookieDomain: true,
  insecureCookies: true,
  checkCsrf: true,
  clearSiteData: true,
  trustedOrigins: true,
  usernameCaseSensitive: true,
  checkUserIsActive: true,
  loadUser: true,
  userAuthenticationRule: true,
  claims: true,
  publicClaims: true,
  verifyCredentials: true,
  findUser: true,
  afterPassword: true,
  verifySecondFactor: true,
  ticketLifetime: true,
  onLoginSuccess: true,
  onLoginFailed: true,
  onSuspiciousLogin: true,
  minPasswordLength: true,
  passwordMemoryCost: true,
  passwordTimeCost: true,
  passwordParallelism: true,
  passwordPeppers: false,
  passwordHashConcurrency: true,
  passwordQueueLimit: true,
  acceptMd5PasswordHashes: true,
  maxLoginFailures: true,
  loginFailuresBeforeDelay: true,
  accountFailuresBeforeDelay: true,
  addressFailuresBeforeDelay: true,
  loginDelay: true,
  maxLoginDelay: true,
  refreshLimit: true,
  verifyLimit: true,
  blacklistLimit: true,
  serviceFailureLimit: true,
  auditRetention: true,
  auditRotations: true,
  webhookUrl: false,
  webhookSecret: false,
} as const satisfies Record<keyof Settings, boolean>;

/** Returns the settings of `createAuth` that the staff may see. */
export function toStaffSettings(settings: Settings<AuthUser>): readonly StaffSetting[] {
  const names = (Object.keys(isShown) as (keyof Settings)[]).filter((name) => isShown[name]);
  return toSettingViews(names, settings, defaultSettings);
}

/** Returns some settings as the staff sees them: numbers as they are, lists with commas, and of a function only that there is one. */
export function toSettingViews<S extends object>(
  names: readonly (keyof S & string)[],
  settings: S,
  defaults: S,
): readonly StaffSetting[] {
  return names.map((name) => {
    const value = toText(settings[name]);
    return { name, value, is_set: value !== toText(defaults[name]) };
  });
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return "none";
  if (typeof value === "function") return "a function";
  return Array.isArray(value) ? value.join(", ") || "none" : String(value);
}
