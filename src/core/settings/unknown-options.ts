import { closestMatch } from "leven";
import { findSettingFault, toShown } from "./faults.ts";
import { SettingError } from "./setting-error.ts";

/**
 * Returns "Did you mean …?" with the known name that is closest to `name`. Returns `otherwise` if no known name is close.
 */
export function toSuggestion(name: string, known: readonly string[], otherwise: string): string {
  const closest = closestMatch(name, known, { maxDistance: Math.ceil(name.length / 3) });
  return closest === undefined ? otherwise : `Did you mean ${closest}?`;
}

/**
 * Throws if `options` has an unknown member, such as a misspelt one.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError that names the unknown option, and either the closest known one or all known ones.
 */
export function refuseUnknownOptions(caller: string, options: object, known: readonly string[]): void {
  const name = Object.keys(options).find((option) => !known.includes(option));
  if (name === undefined) return;
  const suggestion = toSuggestion(name, known, `The options are ${known.join(", ")}.`);
  throw new TypeError(`${caller}: ${name} is not an option. ${suggestion}`);
}

/**
 * Throws unless `options` is an object with known members only.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError that says what is wrong.
 */
export function requireOptions(caller: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `${caller}: the options must be an object such as { ${known.join(", ")} }, got ${toShown(options)}`,
    );
  }
  refuseUnknownOptions(caller, options, known);
}

/**
 * Throws unless each of these settings is a function or not set.
 *
 * @throws SettingError that names the setting.
 */
export function requireFunctions(settings: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(settings)) {
    const fault = value === undefined ? null : findSettingFault({ type: "function" }, value);
    if (fault !== null) throw new SettingError(name, fault);
  }
}
