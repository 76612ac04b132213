import { hours } from "../../core/settings/durations.ts";
import { isRecommended, toPasswordCost } from "../../core/settings/password-cost.ts";
import { toPeppers } from "../../core/settings/peppers.ts";
import type { Config } from "../../server/config/config.ts";
import { type Check, ok, warn } from "./check.ts";

/** The minimum length of a safe pepper key, in characters. It is 128 bits as hexadecimal digits. */
const minPepperLength = 32;

/** The risk of `insecureCookies`. */
export const riskOfInsecureCookies =
  "Cookies are sent over plain http, where others can read them. Use it only for development.";

/** Checks for settings that are valid but make the server less safe. Each warning says what the risk is. */
export function checkSettings({ settings, server }: Config): readonly Check[] {
  const risks: readonly (readonly [name: string, applies: boolean, detail: string])[] = [
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
    ["host", !isLoopback(server.host), "Reachable from the network over plain http. Put a TLS proxy in front."],
    [
      "maxFeedStreams",
      settings.maxFeedStreams >= server.maxConnections,
      "Not below maxConnections: streams of the revocation feed could take every connection.",
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
    [
      "metricsHost",
      server.metricsPort !== undefined && !isLoopback(server.metricsHost),
      "The metrics are reachable from the network. Use 127.0.0.1, or restrict access.",
    ],
  ];
  const warnings = risks.filter(([, applies]) => applies).map(([name, , detail]) => warn(name, detail));
  return [...(warnings.length === 0 ? [ok("safety", "No unsafe settings.")] : warnings), ...checkProxies(settings)];
}

/** Warns about development cookies, which the library uses if `NODE_ENV` is "development". */
export function checkEnvironment({ NODE_ENV }: Readonly<Record<string, string | undefined>>): readonly Check[] {
  if (NODE_ENV !== "development") return [];
  return [
    warn(
      "NODE_ENV",
      "development: applications give browsers on their own machine cookies without Secure. Use production elsewhere.",
    ),
  ];
}

/** Reminds the operator of `trustedProxies`. It isn't a warning, because the CLI can't know whether there is a proxy. */
function checkProxies({ trustedProxies }: Config["settings"]): readonly Check[] {
  if (trustedProxies.length > 0) return [];
  return [ok("trustedProxies", "None. Behind a proxy, list its address; otherwise all clients count as one.")];
}

/** Returns the length of a webhook secret in bytes. */
function toSecretLength(webhookSecret: string): number {
  return Buffer.from(webhookSecret.replace(/^whsec_/, ""), "base64").length;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
