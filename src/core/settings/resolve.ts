import type { AuthUser } from "../user.ts";
import { requireConsistency } from "./consistency.ts";
import { findSettingExample, findSettingFault } from "./faults.ts";
import { settingRules } from "./rules.ts";
import { SettingError } from "./setting-error.ts";
import { defaultSettings, type Settings } from "./settings.ts";
import { toSuggestion } from "./unknown-options.ts";

/**
 * Returns the settings, with the default for each one that is not set. `undefined` means "not set".
 *
 * @throws SettingError if a setting is unknown, has a wrong value, or contradicts another setting.
 */
export function resolveSettings(options: Readonly<Record<string, unknown>>): Settings<AuthUser> {
  for (const [name, value] of Object.entries(options)) {
    if (!isSettingName(name)) throw new SettingError(name, toUnknownFault(name, optionNames));
    if (value !== undefined) requireGoodValue(name, value);
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings<AuthUser> = Object.freeze({ ...defaultSettings, ...given });
  requireConsistency(settings);
  return settings;
}

function requireGoodValue(name: keyof Settings, value: unknown): void {
  const rule = settingRules[name];
  const fault = findSettingFault(rule, value);
  if (fault === null) return;
  const example = findSettingExample(name, rule, defaultSettings[name]);
  throw new SettingError(name, example === null ? fault : `${fault}. Example: ${example}`);
}

/** The name of every setting in `Settings`. */
export const settingNames: readonly string[] = Object.freeze(Object.keys(settingRules));

/** The names of all options of `createAuth`, including the settings. */
const optionNames = ["store", "signingKey", "secret", "legacyRefreshKey", "onError", "onLag", ...settingNames];

/** Returns whether there is a setting with this name in `Settings`. */
export function isSettingName(name: string): name is keyof Settings {
  return Object.hasOwn(settingRules, name);
}

/** Returns the error message for a setting that is not among the `known` ones. It suggests the closest name. */
export function toUnknownSettingMessage(name: string, known: readonly string[]): string {
  return `${name} ${toUnknownFault(name, known)}`;
}

function toUnknownFault(name: string, known: readonly string[]): string {
  return `is not a setting. ${toSuggestion(name, known, "docs/settings.md lists them all.")}`;
}
