import type { AuthUser } from "../user.ts";
import { toCookieNames } from "./cookie-names.ts";
import { isAffordable, minMemoryPerThread, toPasswordCost } from "./password-cost.ts";
import { toPeppers } from "./peppers.ts";
import type { Settings } from "./settings.ts";

type Check = (settings: Settings<AuthUser>) => string | null;

/** What no setting shows alone: the first two that contradict each other, with the fix; `null` where all agree. */
export function findInconsistency(settings: Settings<AuthUser>): string | null {
  for (const check of checks) {
    const fault = check(settings);
    if (fault !== null) return fault;
  }
  return null;
}

const checks: readonly Check[] = [
  checkLifetimes,
  checkUserFunctions,
  checkPaths,
  checkCookieNames,
  checkCookiePrefixes,
  checkSameSite,
  checkHeaderNames,
  checkWebhook,
  checkPasswordCost,
  checkPeppers,
  checkLoginDelays,
];

function checkLifetimes({ accessTokenLifetime, refreshTokenLifetime, sessionLifetime }: Settings<AuthUser>) {
  if (accessTokenLifetime > refreshTokenLifetime) {
    return "accessTokenLifetime: must not be longer than refreshTokenLifetime";
  }
  return refreshTokenLifetime > sessionLifetime
    ? "refreshTokenLifetime: must not be longer than sessionLifetime; raise sessionLifetime too"
    : null;
}

function checkUserFunctions({ verifyCredentials, findUser }: Settings<AuthUser>) {
  return verifyCredentials !== undefined && findUser === undefined
    ? "verifyCredentials: needs findUser too, to look the user up again at every refresh"
    : null;
}

/** Where something else answers. */
const takenPaths = ["/.well-known", "/api/schema", "/healthz", "/readyz"];

function checkPaths({ tokenPath, authPath }: Settings<AuthUser>) {
  if (isWithin(tokenPath, authPath) || isWithin(authPath, tokenPath)) {
    return "tokenPath: must not be authPath, nor one of them lie within the other";
  }
  for (const [name, path] of Object.entries({ tokenPath, authPath })) {
    const taken = takenPaths.find((candidate) => isWithin(path, candidate));
    if (taken !== undefined) return `${name}: ${taken} is where something else answers; choose another path`;
  }
  return null;
}

function isWithin(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function checkCookieNames(settings: Settings<AuthUser>) {
  const { access, refresh, csrf, device } = toCookieNames(settings);
  const prefixes = settings.insecureCookies ? ", without the prefix too that insecureCookies drops" : "";
  if (refresh === access) return `refreshCookieName: must differ from accessCookieName${prefixes}`;
  if (csrf === access) return `csrfCookieName: must differ from accessCookieName${prefixes}`;
  if (csrf === refresh) return `csrfCookieName: must differ from refreshCookieName${prefixes}`;
  const isTaken = [access, refresh, csrf].includes(device);
  return isTaken ? `deviceCookieName: must differ from the names of the other cookies${prefixes}` : null;
}

/** What browsers demand of a cookie whose name has a prefix (RFC 6265bis §4.1.3), in any case of its letters. */
function checkCookiePrefixes(settings: Settings<AuthUser>) {
  const { accessCookieName, refreshCookieName, csrfCookieName, deviceCookieName, cookieDomain } = settings;
  for (const [name, value] of Object.entries({ refreshCookieName, deviceCookieName })) {
    if (!/^__Host-/i.test(value)) continue;
    return `${name}: a "__Host-" cookie needs Path=/, and this one goes to authPath; use "__Secure-…"`;
  }
  if (/^__(?:Host-)?Http-/i.test(csrfCookieName)) {
    return 'csrfCookieName: an "Http-" cookie is hidden from scripts, which must read this one; use "__Host-…"';
  }
  const bound = [accessCookieName, csrfCookieName].find((name) => /^__Host-/i.test(name));
  return cookieDomain !== undefined && bound !== undefined
    ? `cookieDomain: a cookie named "${bound}" cannot have a Domain; rename it, for example to "__Secure-…"`
    : null;
}

function checkSameSite({ cookieSameSite, insecureCookies }: Settings<AuthUser>) {
  return cookieSameSite === "None" && insecureCookies
    ? 'cookieSameSite: "None" needs secure cookies; remove insecureCookies'
    : null;
}

/** Headers with a meaning of their own, in lower case; those of a whole family by its prefix. */
const takenHeaders =
  /^(?:accept(?:-.+)?|access-control-.+|connection|content-.+|cookie2?|date|expect|host|idempotency-key|keep-alive|origin|proxy-.+|range|referer|sec-.+|te|trailer|transfer-encoding|upgrade|user-agent|via)$/;

function checkHeaderNames(settings: Settings<AuthUser>) {
  const [auth, csrf] = [settings.authHeaderName.toLowerCase(), settings.csrfHeaderName.toLowerCase()];
  if (takenHeaders.test(auth)) return 'authHeaderName: has another meaning; use "Authorization" or a name of your own';
  if (takenHeaders.test(csrf) || csrf === "authorization") {
    return 'csrfHeaderName: has another meaning; use "X-CSRFToken" or a name of your own';
  }
  return csrf === auth ? "csrfHeaderName: must differ from authHeaderName" : null;
}

function checkPasswordCost(settings: Settings<AuthUser>) {
  const cost = toPasswordCost(settings);
  if (cost.memoryCost < minMemoryPerThread * cost.parallelism) {
    return `passwordMemoryCost: must be at least ${minMemoryPerThread} KiB for each thread of passwordParallelism`;
  }
  return isAffordable(cost)
    ? null
    : "passwordTimeCost: with this passwordMemoryCost a hash would write more than 1 GiB; lower either";
}

function checkPeppers({ passwordPeppers }: Settings<AuthUser>) {
  const ids = toPeppers(passwordPeppers).map(({ id }) => id);
  return new Set(ids).size < ids.length
    ? "passwordPeppers: two have the same id; a new pepper needs an id of its own"
    : null;
}

function checkLoginDelays({ loginDelay, maxLoginDelay }: Settings<AuthUser>) {
  return loginDelay > maxLoginDelay ? "loginDelay: must not be longer than maxLoginDelay" : null;
}

function checkWebhook({ webhookUrl, webhookSecret }: Settings<AuthUser>) {
  if (webhookUrl !== undefined && !URL.canParse(webhookUrl)) return "webhookUrl: is no URL";
  if (webhookUrl !== undefined && webhookSecret === undefined) {
    return "webhookUrl: needs webhookSecret too; make one with: openssl rand -base64 32";
  }
  return webhookUrl === undefined && webhookSecret !== undefined ? "webhookSecret: needs webhookUrl too" : null;
}
