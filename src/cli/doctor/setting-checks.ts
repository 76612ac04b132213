import { hours } from "../../core/settings/durations.ts";
import { isRecommended, toPasswordCost } from "../../core/settings/password-cost.ts";
import { toPeppers } from "../../core/settings/peppers.ts";
import type { Config } from "../../server/config/config.ts";
import { type Check, ok, warn } from "./check.ts";

/** Of a pepper, in characters: 128 bits in hexadecimal. */
const minPepperLength = 32;

/** What `insecureCookies` costs. */
export const riskOfInsecureCookies = "cookies go over plain http, where others can read them; only for development";

/** Settings that are allowed and yet weaken what tokenpair is for, each with what it costs. */
export function checkSettings({ settings, server }: Config): readonly Check[] {
  const doubts: readonly (readonly [name: string, isDoubtful: boolean, detail: string])[] = [
    ["insecureCookies", settings.insecureCookies, riskOfInsecureCookies],
    [
      "accessTokenLifetime",
      settings.accessTokenLifetime > hours(1),
      "over an hour: keep it short, the refresh is cheap",
    ],
    ["rotateRefreshTokens", !settings.rotateRefreshTokens, "off: a stolen refresh token is never noticed"],
    ["reuseInterval", settings.reuseInterval === 0, "0: two tabs that refresh at once look like a theft"],
    [
      "maxStaleness",
      settings.maxStaleness > 60,
      "over a minute: a logout may take that long to be seen when the store is away",
    ],
    [
      "leeway",
      settings.leeway > 60,
      "over a minute: expired tokens are accepted that long; keep the clocks in step instead",
    ],
    ["cookieSameSite", settings.cookieSameSite === "None", "None: other sites' pages can send the cookies"],
    [
      "maxLoginFailures",
      settings.maxLoginFailures === 0,
      "0: an account may be guessed at for ever (NIST SP 800-63B-4 allows 100 failures)",
    ],
    [
      "trustedProxies",
      settings.trustedProxies.some((network) => network.endsWith("/0")),
      "trusts everybody: any client chooses its own address",
    ],
    [
      "trustedOrigins",
      settings.trustedOrigins.some((origin) => origin.startsWith("http:")),
      "has an http origin, whose pages anybody on the way can change",
    ],
    [
      "passwordMemoryCost",
      !isRecommended(toPasswordCost(settings)),
      "and passwordTimeCost make hashes cheaper than OWASP recommends; 19456 and 2 are its least",
    ],
    [
      "passwordPeppers",
      toPeppers(settings.passwordPeppers).some(({ key }) => key.length < minPepperLength),
      `has a key under ${minPepperLength} characters; rotate to one made with: openssl rand -hex 32`,
    ],
    [
      "acceptMd5PasswordHashes",
      settings.acceptMd5PasswordHashes,
      "true: whoever gets hold of those hashes has most of the passwords; turn it off when few are left",
    ],
    ["host", !isLoopback(server.host), "is open to the network over plain http; put a proxy with TLS before it"],
    ["auditRetention", settings.auditRetention === 0, "0: nobody can look up later what happened"],
    [
      "webhookUrl",
      settings.webhookUrl?.startsWith("http:") ?? false,
      "messages go over plain http; only to a receiver on this machine",
    ],
    [
      "webhookSecret",
      settings.webhookSecret !== undefined && toSecretSize(settings.webhookSecret) < 32,
      "shorter than the 32 bytes of its HMAC; make one with: openssl rand -base64 32",
    ],
    [
      "metricsHost",
      server.metricsPort !== undefined && !isLoopback(server.metricsHost),
      "shows the metrics to the network",
    ],
  ];
  const warnings = doubts.filter(([, isDoubtful]) => isDoubtful).map(([name, , detail]) => warn(name, detail));
  return [...(warnings.length === 0 ? [ok("safety", "no unsafe settings")] : warnings), ...checkProxies(settings)];
}

/** Nobody can tell from here whether there is a proxy, so this is a reminder and no warning. */
function checkProxies({ trustedProxies }: Config["settings"]): readonly Check[] {
  if (trustedProxies.length > 0) return [];
  return [ok("trustedProxies", "none; behind a proxy name it here, or all clients count as one address")];
}

/** In bytes. */
function toSecretSize(webhookSecret: string): number {
  return Buffer.from(webhookSecret.replace(/^whsec_/, ""), "base64").length;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
