import type { AuthUser } from "../user.ts";
import { findInconsistency } from "./consistency.ts";
import { findSettingFault, settingRules } from "./rules.ts";
import { defaultSettings, type Settings } from "./settings.ts";
import { findNearestName } from "./unknown-options.ts";

/**
 * The defaults with what the application has set; `undefined` stands for "not set".
 *
 * @throws TypeError that names the setting and the fix: unknown, of the wrong kind, or contradicting another.
 */
export function resolveSettings(options: Readonly<Record<string, unknown>>): Settings<AuthUser> {
  for (const [name, value] of Object.entries(options)) {
    if (!isSettingName(name)) throw new TypeError(toUnknownSettingMessage(name, settingNames));
    if (value === undefined) continue;
    const fault = findSettingFault(settingRules[name], value);
    if (fault !== null) throw new TypeError(`${name}: ${fault}`);
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings<AuthUser> = Object.freeze({ ...defaultSettings, ...given });
  const contradiction = findInconsistency(settings);
  if (contradiction !== null) throw new TypeError(contradiction);
  return settings;
}

/** Every name that `resolveSettings` knows. */
export const settingNames: readonly string[] = Object.freeze(Object.keys(settingRules));

export function isSettingName(name: string): name is keyof Settings {
  return Object.hasOwn(settingRules, name);
}

/** The message for a name that is no setting, with the nearest one that is. */
export function toUnknownSettingMessage(name: string, known: readonly string[]): string {
  const nearest = findNearestName(name, known);
  return `${name}: no such setting${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}
