import { requireConsistency } from "../core/settings/consistency.ts";
import { findSettingFault } from "../core/settings/faults.ts";
import { parseIssuerUrl } from "../core/settings/issuer-url.ts";
import { type SettingRule, settingRules } from "../core/settings/rules.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { defaultSettings, type Settings } from "../core/settings/settings.ts";
import { refuseUnknownOptions, requireFunctions } from "../core/settings/unknown-options.ts";
import type { AuthUser } from "../core/user.ts";
import type { RelayOptions, VerifierOptions, VerifierSettings } from "./options.ts";

/** The checked options of a verifier, with their defaults. */
export interface VerifierConfig
  extends Required<Pick<VerifierOptions, "maxStaleness" | "onStale" | "pullInterval" | "revocations">> {
  /** The issuer's base URL, without a slash at the end. */
  readonly url: string;
  readonly credential: string | null;
  readonly relay: Required<RelayOptions> | null;
  /** Those of the issuer, and what the options say about tokens. */
  readonly settings: Settings<AuthUser>;
}

const secondsRule = (min: number, max: number): SettingRule => ({ type: "decimal seconds", min, max });

/** The rules of the options that no setting of the issuer has. */
const rules = {
  audience: { type: "text", pattern: /./, form: "a text that is not empty" },
  revocations: { type: "choice", choices: ["stream", "poll", "pull", false] },
  maxStaleness: settingRules.maxStaleness,
  onStale: { type: "choice", choices: ["refuse", "accept"] },
  pullInterval: secondsRule(0, 3_600),
  leeway: settingRules.leeway,
  cacheSize: settingRules.verifyCacheSize,
  // The issuer takes leases of an hour, and that of a relay is a little longer than those of its readers.
  longestLease: secondsRule(0.25, 3_500),
} as const satisfies Readonly<Record<string, SettingRule>>;

/** The names of the options. The compiler requires each of them. */
const optionNames = Object.keys({
  issuer: true,
  audience: true,
  url: true,
  credential: true,
  revocations: true,
  maxStaleness: true,
  onStale: true,
  pullInterval: true,
  leeway: true,
  cacheSize: true,
  settings: true,
  relay: true,
  onEvent: true,
  fetch: true,
  clock: true,
} satisfies Record<keyof VerifierOptions, true>);

/** The names of the issuer's settings that a verifier must share. The compiler requires each of them. */
export const verifierSettingNames = Object.keys({
  authPath: true,
  userIdClaim: true,
  tokenTypeClaim: true,
  jtiClaim: true,
  accessTokenProfile: true,
  clockTolerance: true,
  authHeaderTypes: true,
  authHeaderName: true,
  accessCookieName: true,
  csrfCookieName: true,
  csrfHeaderName: true,
  insecureCookies: true,
  trustedOrigins: true,
} satisfies Record<keyof VerifierSettings, true>) as readonly (keyof VerifierSettings)[];

/**
 * Checks the options of a verifier, and adds the defaults.
 *
 * @throws SettingError if an option has a wrong value. It never holds the credential.
 * @throws TypeError if an option is unknown.
 */
export function toVerifierConfig(options: VerifierOptions): VerifierConfig {
  refuseUnknownOptions("createVerifier", options, optionNames);
  requireFunctions({ onEvent: options.onEvent, fetch: options.fetch });
  const { revocations = "stream", maxStaleness = 10, onStale = "refuse" } = options;
  const { pullInterval = typeof maxStaleness === "number" ? Math.min(0.5, maxStaleness) : 0.5 } = options;
  const { leeway = 30, cacheSize = 10_000 } = options;
  const { audience } = options;
  requireValues({ audience, revocations, maxStaleness, onStale, pullInterval, leeway, cacheSize });
  if (pullInterval > maxStaleness) {
    throw new SettingError("pullInterval", `must not be longer than maxStaleness, got ${pullInterval} seconds.`);
  }
  if (parseIssuerUrl(options.issuer) === null) {
    throw new SettingError("issuer", "must be the issuer's URL: https, or http on this machine, and without a query.");
  }
  const settings = toSettings(options.settings);
  const config = {
    url: toBaseUrl(options.url ?? options.issuer),
    credential: toCredential(options),
    revocations,
    maxStaleness,
    onStale,
    pullInterval,
    relay: toRelay(options, maxStaleness),
    settings: { ...settings, issuer: options.issuer, audience, leeway, verifyCacheSize: cacheSize },
  };
  requireConsistency(config.settings);
  return Object.freeze(config);
}

function requireValues(values: Partial<Record<keyof typeof rules, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    const fault = findSettingFault(rules[name as keyof typeof rules], value);
    if (fault !== null) throw new SettingError(name, fault);
  }
}

/** Returns the settings of the issuer. They aren't all needed: the others have their defaults. */
function toSettings(given: VerifierOptions["settings"] = {}): Settings<AuthUser> {
  refuseUnknownOptions("createVerifier: settings", given, verifierSettingNames);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  for (const [name, value] of entries) {
    const fault = findSettingFault(settingRules[name as keyof typeof settingRules], value);
    if (fault !== null) throw new SettingError(`settings.${name}`, fault);
  }
  return { ...defaultSettings, ...Object.fromEntries(entries) };
}

function toBaseUrl(text: string): string {
  const url = /^https?:\/\/[^\s?#@\\]+$/.test(text) ? URL.parse(text) : null;
  if (url !== null) return text.replace(/\/+$/, "");
  throw new SettingError("url", "must be an http or https URL without a user, query and fragment.");
}

const isCredential = (text: unknown) => typeof text === "string" && /^tps_[A-Za-z0-9_-]{43}$/.test(text);

function toCredential({ credential, revocations }: VerifierOptions): string | null {
  if (credential === undefined && revocations === false) return null;
  if (credential !== undefined && isCredential(credential)) return credential;
  throw new SettingError(
    "credential",
    "must be tps_ and 43 characters, as the issuer has printed it. Create one with: tokenpair services create NAME --scope feed",
  );
}

function toRelay({ relay, revocations }: VerifierOptions, maxStaleness: number): VerifierConfig["relay"] {
  if (relay === undefined) return null;
  refuseUnknownOptions("createVerifier: relay", relay, ["credentials", "longestLease"]);
  if (revocations !== undefined && revocations !== "stream") {
    throw new SettingError("relay", 'needs revocations: "stream". Remove revocations.');
  }
  const { credentials, longestLease = maxStaleness } = relay;
  if (!Array.isArray(credentials) || credentials.length === 0 || !credentials.every(isCredential)) {
    throw new SettingError("relay", "must have a list of credentials, each of tps_ and 43 characters.");
  }
  requireValues({ longestLease });
  return { credentials, longestLease };
}
