import { isNetwork } from "../addresses.ts";
import { days, hours, minutes } from "./durations.ts";
import { costLimits, minMemoryPerThread } from "./password-cost.ts";
import { pepperPattern } from "./peppers.ts";
import type { Settings } from "./settings.ts";

/** What a setting may be. The environment, the config file and `createAuth` are all read by these rules. */
export type SettingRule =
  | { readonly type: "seconds"; readonly min: number; readonly max: number }
  | { readonly type: "count"; readonly of: string; readonly min: number; readonly max: number }
  | { readonly type: "boolean" }
  /** Only `true`; `why` tells whoever sets it to `false`. */
  | { readonly type: "true"; readonly why: string }
  | { readonly type: "choice"; readonly choices: readonly string[] }
  | { readonly type: "text"; readonly pattern: RegExp; readonly form: string; readonly optional?: true }
  | { readonly type: "texts"; readonly pattern: RegExp; readonly form: string; readonly atLeast: number }
  /** IP addresses and networks. */
  | { readonly type: "networks" }
  | { readonly type: "function" };

const boolean = { type: "boolean" } as const;
const hook = { type: "function" } as const;
const seconds = (min: number, max: number) => ({ type: "seconds", min, max }) as const;
const count = (of: string, min: number, max: number) => ({ type: "count", of, min, max }) as const;

/** RFC 9110 §5.6.2. */
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

/** The rule of every setting. */
export const settingRules = Object.freeze({
  accessTokenLifetime: seconds(1, days(1)),
  refreshTokenLifetime: seconds(1, days(3_650)),
  sessionLifetime: seconds(1, days(3_650)),
  rotateRefreshTokens: boolean,
  blacklistAfterRotation: {
    type: "true",
    why: "a session is one row, so a token that was rotated away has nothing left that could keep it valid",
  },
  updateLastLogin: boolean,
  algorithm: { type: "choice", choices: ["HS256", "HS384", "HS512"] },
  audience: anyText,
  issuer: anyText,
  leeway: seconds(0, minutes(5)),
  authHeaderTypes: { type: "texts", pattern: token, form: "authentication schemes", atLeast: 1 },
  authHeaderName: headerName,
  userIdClaim: claimName,
  tokenTypeClaim: claimName,
  jtiClaim: claimName,
  verifyCacheSize: count("tokens", 0, 1_000_000),
  checkUserIsActive: boolean,
  loadUser: boolean,
  reuseInterval: seconds(0, 60),
  maxStaleness: seconds(1, 3_600),
  onStale: { type: "choice", choices: ["refuse", "lookup"] },
  auditRetention: count("days", 0, 3_650),
  auditRotations: boolean,
  webhookUrl: {
    type: "text",
    pattern: /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?)(?:[/?][^\s#]*)?$/,
    form: "an https URL without a password in it, or an http URL of this machine",
    optional: true,
  },
  webhookSecret: {
    type: "text",
    pattern: /^(?:whsec_)?(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2,3}={0,2})?$/,
    form: "at least 24 random bytes in base64, such as from: openssl rand -base64 32",
    optional: true,
  },
  tokenPath: path,
  authPath: path,
  accessCookieName: cookieName,
  refreshCookieName: cookieName,
  csrfCookieName: cookieName,
  csrfHeaderName: headerName,
  cookieSameSite: { type: "choice", choices: ["Strict", "Lax", "None"] },
  cookieDomain: {
    type: "text",
    pattern: /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/,
    form: 'a domain such as "example.com"',
    optional: true,
  },
  insecureCookies: boolean,
  trustedOrigins: {
    type: "texts",
    pattern: /^(?:https:\/\/(?!.*:443$)|http:\/\/(?!.*:80$))(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d+)?$/,
    form: 'origins as a browser sends them, such as "https://app.example.com": lower case, no path, no default port',
    atLeast: 0,
  },
  deviceCookieName: cookieName,
  maxLoginFailures: count("failures", 0, 100),
  loginFailuresBeforeDelay: count("failures", 0, 100),
  accountFailuresBeforeDelay: count("failures", 0, 100),
  addressFailuresBeforeDelay: count("failures", 0, 1_000_000),
  loginDelay: seconds(1, hours(1)),
  maxLoginDelay: seconds(1, days(1)),
  refreshLimit: count("requests", 0, 1_000_000),
  verifyLimit: count("requests", 0, 1_000_000),
  blacklistLimit: count("requests", 0, 1_000_000),
  trustedProxies: { type: "networks" },
  forwardedHeader: { type: "choice", choices: ["X-Forwarded-For", "Forwarded"] },
  usernameCaseSensitive: boolean,
  minPasswordLength: count("characters", 8, 64),
  passwordMemoryCost: count("KiB", minMemoryPerThread, costLimits.memory),
  passwordTimeCost: count("passes", 1, 1_000),
  passwordParallelism: count("threads", 1, costLimits.parallelism),
  passwordPeppers: {
    type: "texts",
    pattern: pepperPattern,
    form: 'peppers as "id:key": at most 8 letters, digits, - or _, a colon, at least 16 characters without space or comma',
    atLeast: 0,
  },
  passwordHashConcurrency: count("hashes", 1, 256),
  passwordQueueLimit: count("hashes", 0, 10_000),
  acceptMd5PasswordHashes: boolean,
  userAuthenticationRule: hook,
  claims: hook,
  verifyCredentials: hook,
  findUser: hook,
  onLoginSuccess: hook,
  onLoginFailed: hook,
  onSuspiciousLogin: hook,
} satisfies Record<keyof Settings, SettingRule>);

/** What is wrong with a value, to be read after the setting's name; `null` where it may stand. */
export function findSettingFault(rule: SettingRule, value: unknown): string | null {
  switch (rule.type) {
    case "seconds":
      return isWhole(value, rule) ? null : `must be whole seconds from ${rule.min} to ${rule.max}`;
    case "count":
      return isWhole(value, rule) ? null : `must be a number of ${rule.of} from ${rule.min} to ${rule.max}`;
    case "boolean":
      return typeof value === "boolean" ? null : "must be true or false";
    case "true":
      return value === true ? null : `can only be true: ${rule.why}`;
    case "choice":
      return rule.choices.includes(value as string) ? null : `must be one of ${rule.choices.join(", ")}`;
    case "text":
      return isText(value, rule.pattern) ? null : `must be ${rule.form}`;
    case "texts":
      return Array.isArray(value) && value.length >= rule.atLeast && value.every((item) => isText(item, rule.pattern))
        ? null
        : `must be a list of ${rule.form}${rule.atLeast > 0 ? ", with at least one" : ""}`;
    case "networks":
      return Array.isArray(value) && value.every(isNetwork)
        ? null
        : 'must be a list of IP addresses and networks such as "10.0.0.0/8" or "2001:db8::/32"';
    case "function":
      return typeof value === "function" ? null : "must be a function";
  }
}

function isWhole(value: unknown, { min, max }: { readonly min: number; readonly max: number }): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}
