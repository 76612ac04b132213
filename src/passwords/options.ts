import { findSettingExample, findSettingFault } from "../core/settings/faults.ts";
import { requireAffordableCost, toPasswordCost } from "../core/settings/password-cost.ts";
import { requireDifferentIds } from "../core/settings/peppers.ts";
import { settingRules } from "../core/settings/rules.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import { defaultSettings } from "../core/settings/settings.ts";
import { requireOptions } from "../core/settings/unknown-options.ts";
import type { PasswordSettings } from "../core/settings/user-settings.ts";

/** The options of `createPasswords`. */
export interface PasswordsOptions {
  /**
   * The minimum length of a new password: from 8 to 64 characters. Use 15 if the password is the only factor (NIST SP
   * 800-63B-4). Default: 8.
   */
  readonly minLength?: number | undefined;
  /**
   * Secrets that are part of the input of hashes and are not in the database, each as "id:key". The id has at most eight letters,
   * digits, - or _. The key has at least 16 characters, without spaces and commas, for example from `openssl rand -hex 32`. New hashes use
   * the first pepper. The others verify older hashes. Default: none.
   */
  readonly peppers?: readonly string[] | undefined;
  /** The memory for one hash, in KiB, at most 262,144 (256 MiB). Default: 19,456 (19 MiB). */
  readonly memoryCost?: number | undefined;
  /** The number of passes over the memory. Passes multiplied by memory must be at most 1 GiB. Default: 2. */
  readonly timeCost?: number | undefined;
  /** How many threads argon2 uses for one hash, at most 16. Default: 1. */
  readonly parallelism?: number | undefined;
  /**
   * How many passwords are hashed at the same time. Above 3, raise `UV_THREADPOOL_SIZE` too. Default: one less than the
   * number of cores, from 1 to 3.
   */
  readonly concurrency?: number | undefined;
  /** How many further hashes may wait. Beyond that, a hash is refused with `unavailable`. Default: 64. */
  readonly queueLimit?: number | undefined;
  /** Whether Django's salted MD5 hashes are accepted. Default: false. */
  readonly acceptMd5?: boolean | undefined;
}

/** The setting of `createAuth` that has the rule and the default of each option. */
const settingOf = Object.freeze({
  minLength: "minPasswordLength",
  peppers: "passwordPeppers",
  memoryCost: "passwordMemoryCost",
  timeCost: "passwordTimeCost",
  parallelism: "passwordParallelism",
  concurrency: "passwordHashConcurrency",
  queueLimit: "passwordQueueLimit",
  acceptMd5: "acceptMd5PasswordHashes",
} satisfies Record<keyof PasswordsOptions, keyof PasswordSettings>);

/**
 * Checks the options, and returns them as settings with their defaults. Inherited options are ignored.
 *
 * @throws SettingError if an option has a wrong value, or contradicts another one. The message never holds a pepper.
 * @throws TypeError if an option is unknown.
 */
export function toPasswordSettings(options: PasswordsOptions): PasswordSettings {
  requireOptions("createPasswords", options, Object.keys(settingOf));
  const settings: Record<string, unknown> = { ...defaultSettings };
  for (const [option, setting] of entriesOf(settingOf)) {
    // An option on a polluted prototype must not count: a pepper there would be part of every new hash.
    const value = Object.hasOwn(options, option) ? options[option] : undefined;
    if (value === undefined) continue;
    const rule = settingRules[setting];
    const fault = findSettingFault(rule, value);
    if (fault !== null) {
      const example = findSettingExample(option, rule, defaultSettings[setting]);
      throw new SettingError(option, example === null ? fault : `${fault}. Example: ${example}`);
    }
    settings[setting] = value;
  }
  const checked = settings as unknown as PasswordSettings;
  requireAffordableCost(toPasswordCost(checked), { memoryCost: "memoryCost", timeCost: "timeCost" });
  requireDifferentIds("peppers", checked.passwordPeppers);
  return Object.freeze(checked);
}

function entriesOf<K extends string, V>(record: Readonly<Record<K, V>>): readonly [K, V][] {
  return Object.entries(record) as [K, V][];
}
