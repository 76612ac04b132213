import type { AuthUser } from "../user.ts";
import { toCookieNames } from "./cookie-names.ts";
import { toLegacyUntil } from "./legacy-settings.ts";
import { requireAffordableCost, toPasswordCost } from "./password-cost.ts";
import { requireDifferentIds } from "./peppers.ts";
import { isSharedDomain } from "./public-suffixes.ts";
import { SettingError } from "./setting-error.ts";
import type { Settings } from "./settings.ts";

/**
 * Checks the rules that involve more than one setting.
 *
 * @throws SettingError for the first settings that contradict each other.
 */
export function requireConsistency(settings: Settings<AuthUser>): void {
  for (const check of checks) check(settings);
}

/** The checks, in the order in which contradictions are reported. */
const checks: readonly ((settings: Settings<AuthUser>) => void)[] = [
  requireOrderedLifetimes,
  requireUserFunctions,
  requireSecondStep,
  requireFreePaths,
  requireCookieNames,
  requireCookiePrefixes,
  requireSameSite,
  requireFreeHeaders,
  requireOwnDomains,
  requireWebhook,
  requireAffordableHashes,
  requirePepperIds,
  requireLoginDelays,
  requireKekIds,
  requireTokenProfile,
  requireLegacyUntil,
];

function requireOrderedLifetimes(settings: Settings<AuthUser>): void {
  requireAtMost(settings, "accessTokenLifetime", "refreshTokenLifetime");
  requireAtMost(settings, "refreshTokenLifetime", "sessionLifetime");
}

function requireLoginDelays(settings: Settings<AuthUser>): void {
  requireAtMost(settings, "loginDelay", "maxLoginDelay");
}

type Duration = "accessTokenLifetime" | "refreshTokenLifetime" | "sessionLifetime" | "loginDelay" | "maxLoginDelay";

function requireAtMost(settings: Settings<AuthUser>, shorter: Duration, longer: Duration): void {
  const [least, most] = [settings[shorter], settings[longer]];
  if (least <= most) return;
  throw new SettingError(
    shorter,
    `must not be longer than ${longer}, got ${least} and ${most} seconds. Change one of them.`,
  );
}

function requireUserFunctions({ verifyCredentials, findUser }: Settings<AuthUser>): void {
  if (verifyCredentials === undefined || findUser !== undefined) return;
  throw new SettingError("verifyCredentials", "needs findUser too, which looks the user up at every refresh.");
}

function requireSecondStep({ afterPassword, verifySecondFactor }: Settings<AuthUser>): void {
  if (verifySecondFactor === undefined || afterPassword !== undefined) return;
  throw new SettingError("verifySecondFactor", "needs afterPassword too, which says who needs a second step.");
}

/** The paths of endpoints that no setting moves. */
const takenPaths = ["/.well-known", "/api/schema", "/healthz", "/readyz"];

function requireFreePaths({ tokenPath, authPath }: Settings<AuthUser>): void {
  if (isWithin(tokenPath, authPath) || isWithin(authPath, tokenPath)) {
    throw new SettingError(
      "tokenPath",
      `must not contain authPath or lie in it, got "${tokenPath}" and "${authPath}".`,
    );
  }
  for (const [name, path] of Object.entries({ tokenPath, authPath })) {
    const taken = takenPaths.find((candidate) => isWithin(path, candidate));
    if (taken === undefined) continue;
    throw new SettingError(
      name,
      `must not lie in ${taken}, which has other endpoints, got "${path}". Choose another path.`,
    );
  }
}

function isWithin(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function requireCookieNames(settings: Settings<AuthUser>): void {
  const { access, refresh, csrf, device } = toCookieNames(settings);
  requireDifferent(settings, { refreshCookieName: refresh, accessCookieName: access });
  requireDifferent(settings, { csrfCookieName: csrf, accessCookieName: access });
  requireDifferent(settings, { csrfCookieName: csrf, refreshCookieName: refresh });
  requireDifferent(settings, { deviceCookieName: device, accessCookieName: access });
  requireDifferent(settings, { deviceCookieName: device, refreshCookieName: refresh });
  requireDifferent(settings, { deviceCookieName: device, csrfCookieName: csrf });
}

function requireDifferent({ insecureCookies }: Settings<AuthUser>, names: Readonly<Record<string, string>>): void {
  const [[setting, name] = ["", ""], [other, otherName] = ["", ""]] = Object.entries(names);
  if (name !== otherName) return;
  const prefixes = insecureCookies ? ", because insecureCookies drops the prefixes" : "";
  throw new SettingError(setting, `must differ from ${other}, got "${name}" for both${prefixes}.`);
}

/** Checks what browsers require of a cookie whose name has a prefix (RFC 6265bis §4.1.3), in upper or lower case. */
function requireCookiePrefixes(settings: Settings<AuthUser>): void {
  const { accessCookieName, refreshCookieName, csrfCookieName, deviceCookieName, cookieDomain } = settings;
  for (const [name, value] of Object.entries({ refreshCookieName, deviceCookieName })) {
    if (!/^__Host-/i.test(value)) continue;
    throw new SettingError(
      name,
      `must not start with "__Host-", which needs Path=/: this cookie's path is authPath. Use "__Secure-…".`,
    );
  }
  if (/^__(?:Host-)?Http-/i.test(csrfCookieName)) {
    throw new SettingError(
      "csrfCookieName",
      'must not have the prefix "Http-", which hides a cookie from scripts: they read this one. Use "__Host-…".',
    );
  }
  const bound = [accessCookieName, csrfCookieName].find((name) => /^__Host-/i.test(name));
  if (cookieDomain === undefined || bound === undefined) return;
  throw new SettingError(
    "cookieDomain",
    `needs another name for the cookie "${bound}": "__Host-" forbids a Domain. Use "__Secure-…".`,
  );
}

function requireSameSite({ cookieSameSite, insecureCookies }: Settings<AuthUser>): void {
  if (cookieSameSite !== "None" || !insecureCookies) return;
  throw new SettingError("cookieSameSite", 'must not be "None" with insecureCookies. Remove one of them.');
}

/** The headers that have another meaning in HTTP, in lower case. */
const takenHeaders =
  /^(?:accept(?:-.+)?|access-control-.+|connection|content-.+|cookie2?|date|expect|host|idempotency-key|keep-alive|origin|proxy-.+|range|referer|sec-.+|te|trailer|transfer-encoding|upgrade|user-agent|via)$/;

function requireFreeHeaders({ authHeaderName, csrfHeaderName }: Settings<AuthUser>): void {
  const [auth, csrf] = [authHeaderName.toLowerCase(), csrfHeaderName.toLowerCase()];
  if (takenHeaders.test(auth)) throw hasAnotherMeaning("authHeaderName", authHeaderName, "X-Access-Token");
  if (takenHeaders.test(csrf) || csrf === "authorization") {
    throw hasAnotherMeaning("csrfHeaderName", csrfHeaderName, "X-CSRFToken");
  }
  if (csrf === auth)
    throw new SettingError("csrfHeaderName", `must differ from authHeaderName, got "${csrf}" for both.`);
}

function hasAnotherMeaning(setting: string, name: string, example: string): SettingError {
  return new SettingError(
    setting,
    `must not be "${name}", which has another meaning. Example: ${setting}: "${example}"`,
  );
}

function requireOwnDomains({ trustedOrigins }: Settings<AuthUser>): void {
  for (const origin of trustedOrigins) {
    const [, domain] = /^https:\/\/\*\.([^:]+)/.exec(origin) ?? [];
    if (domain === undefined || !isSharedDomain(domain)) continue;
    throw new SettingError(
      "trustedOrigins",
      `must not contain "${origin}": other people can have hosts below ${domain}. List your origins one by one.`,
    );
  }
}

function requireAffordableHashes(settings: Settings<AuthUser>): void {
  requireAffordableCost(toPasswordCost(settings), { memoryCost: "passwordMemoryCost", timeCost: "passwordTimeCost" });
}

function requirePepperIds({ passwordPeppers }: Settings<AuthUser>): void {
  requireDifferentIds("passwordPeppers", passwordPeppers);
}

function requireWebhook({ webhookUrl, webhookSecret }: Settings<AuthUser>): void {
  if (webhookUrl !== undefined && !URL.canParse(webhookUrl)) {
    throw new SettingError("webhookUrl", "must be a URL. Check its host and port.");
  }
  if (webhookUrl !== undefined && webhookSecret === undefined) {
    throw new SettingError("webhookUrl", "needs webhookSecret too. Create one with: openssl rand -base64 32");
  }
  if (webhookUrl === undefined && webhookSecret !== undefined) {
    throw new SettingError("webhookSecret", "needs webhookUrl too.");
  }
}

function requireKekIds({ keyEncryptionKey = "" }: Settings<AuthUser>): void {
  const ids = keyEncryptionKey.split(",").map((item) => item.split(":", 1)[0]);
  if (new Set(ids).size === ids.length) return;
  throw new SettingError("keyEncryptionKey", "must have different ids. Give the new key its own id.");
}

/** Checks what RFC 9068 §2.2 requires of an access token. */
function requireTokenProfile(settings: Settings<AuthUser>): void {
  if (settings.accessTokenProfile !== "rfc9068") return;
  const missing = (["issuer", "audience"] as const).find((name) => settings[name] === undefined);
  if (missing !== undefined) {
    throw new SettingError("accessTokenProfile", `must not be "rfc9068" without ${missing}. Set ${missing} too.`);
  }
  if (settings.jtiClaim !== "jti") {
    throw new SettingError("jtiClaim", 'must be "jti" with accessTokenProfile "rfc9068". Remove one of them.');
  }
}

function requireLegacyUntil({ legacyRefreshUntil: until }: Settings<AuthUser>): void {
  if (until === undefined || toLegacyUntil(until) !== null) return;
  throw new SettingError("legacyRefreshUntil", `must be a day that exists, got "${until}". Example: "2026-09-30"`);
}
