import { hours } from "../../core/settings/durations.ts";
import { isRecommended, toPasswordCost } from "../../core/settings/password-cost.ts";
import { toPeppers } from "../../core/settings/peppers.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { type Check, ok, warn } from "./check.ts";

/** The minimum length of a safe pepper key, in characters. It is 128 bits as hexadecimal digits. */
const minPepperLength = 32;

/** The risk of `insecureCookies`. */
export const riskOfInsecureCookies =
  "Cookies are sent over plain http, where others can read them. Use it only for development.";

/** A setting that is valid but makes the server less safe: its name, whether it has the unsafe value, and the risk. */
export type Risk = readonly [name: string, applies: boolean, detail: string];

/** Returns a finding for each risk that applies, or one that says that none does. */
export function toRiskChecks(risks: readonly Risk[], { trustedProxies }: Settings<AuthUser>): readonly Check[] {
  const warnings = risks.filter(([, applies]) => applies).map(([name, , detail]) => warn(name, detail));
  return [
    ...(warnings.length === 0 ? [ok("safety", "No unsafe settings.")] : warnings),
    // It isn't a warning, because nothing here can know whether there is a proxy.
    ...(trustedProxies.length > 0
      ? []
      : [ok("trustedProxies", "None. Behind a proxy, list its address; otherwise all clients count as one.")]),
  ];
}

/** Returns the risks of the settings of `createAuth`. */
export function toSettingRisks(settings: Settings<AuthUser>): readonly Risk[] {
  return [
    ["insecureCookies", settings.insecureCookies, riskOfInsecureCookies],
    [
      "accessTokenLifetime",
      settings.accessTokenLifetime > hours(1),
      "Over an hour. Use a shorter lifetime: refreshing is cheap.",
    ],
    ["rotateRefreshTokens", settings.rotateRefreshTokens !== true, "Off: a stolen refresh token is never detected."],
    ["reuseInterval", settings.reuseInterval === 0, "0: two tabs that refresh at once are treated as reuse."],
    [
      "maxStaleness",
      settings.maxStaleness > 60,
      "Over a minute: a logout can take that long to apply while the database is unavailable.",
    ],
    [
      "confirmRevocations",
      !settings.confirmRevocations,
      "Off: a revocation is answered before every node refuses the tokens. Turn it on when no node of version 0.1 runs.",
    ],
    ["leeway", settings.leeway > 60, "Over a minute: expired tokens stay valid that long. Synchronize clocks instead."],
    [
      "checkCsrf",
      !settings.checkCsrf,
      "Off: behind proxies that use the check endpoint, pages of other sites can send requests with the cookies.",
    ],
    ["cookieSameSite", settings.cookieSameSite === "None", "None: pages of other sites can send the cookies."],
    [
      "maxLoginFailures",
      settings.maxLoginFailures === 0,
      "0: passwords of an account can be guessed without limit (NIST SP 800-63B-4 allows 100 failures).",
    ],
    [
      "trustedProxies",
      settings.trustedProxies.some((network) => network.endsWith("/0")),
      "Includes every address: any client can forge its own. List only your proxies.",
    ],
    [
      "trustedOrigins",
      settings.trustedOrigins.some((origin) => origin.startsWith("http:")),
      "Includes an http origin: an attacker on the network can change its pages. Use https.",
    ],
    [
      "trustedOrigins",
      settings.trustedOrigins.some((origin) => origin.includes("*")),
      "Includes a wildcard: an attacker who gets one host below the domain can use its visitors' sessions. List the hosts.",
    ],
    [
      "passwordMemoryCost",
      !isRecommended(toPasswordCost(settings)),
      "With passwordTimeCost, below OWASP's minimum. Use at least 19456 and 2.",
    ],
    [
      "passwordPeppers",
      toPeppers(settings.passwordPeppers).some(({ key }) => key.length < minPepperLength),
      `Has a key under ${minPepperLength} characters. Add a new one, created with: openssl rand -hex 32`,
    ],
    [
      "acceptMd5PasswordHashes",
      settings.acceptMd5PasswordHashes,
      "On: most passwords are easily recovered from leaked MD5 hashes. Turn it off when few users still have them.",
    ],
    ["auditRetention", settings.auditRetention === 0, "0: the audit log is off, so incidents can't be investigated."],
    [
      "webhookUrl",
      settings.webhookUrl?.startsWith("http:") ?? false,
      "Plain http. Use it only for a receiver on this machine.",
    ],
    [
      "webhookSecret",
      settings.webhookSecret !== undefined && toSecretLength(settings.webhookSecret) < 32,
      "Under 32 bytes. Create a new one with: openssl rand -base64 32",
    ],
  ];
}

/** Returns the length of a webhook secret in bytes. */
function toSecretLength(webhookSecret: string): number {
  return Buffer.from(webhookSecret.replace(/^whsec_/, ""), "base64").length;
}
