import { toUnknownSettingMessage } from "../../core/settings/resolve.ts";
import { ConfigError } from "./config-error.ts";
import { type ConfigRule, configRules, findConfigFault } from "./server-settings.ts";

const prefix = "TOKENPAIR_";

/** The variable of a setting: `TOKENPAIR_` and the name in upper snake case. */
export function toVariableName(setting: string): string {
  return prefix + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

const settingOfVariable: ReadonlyMap<string, string> = new Map(
  Object.keys(configRules).map((setting) => [toVariableName(setting), setting]),
);

/**
 * The settings that the environment has, each read by its rule: whole numbers, `true` or `false` (`1`, `0`), lists
 * with commas.
 *
 * @throws ConfigError where a `TOKENPAIR_` variable is no setting, or its value is not what the setting takes.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || text === undefined) continue;
    const setting = settingOfVariable.get(variable);
    const rule = setting === undefined ? undefined : configRules[setting];
    if (setting === undefined || rule === undefined) {
      throw new ConfigError(toUnknownSettingMessage(variable, [...settingOfVariable.keys()]));
    }
    settings[setting] = parseVariable(variable, rule, text);
  }
  return settings;
}

function parseVariable(variable: string, rule: ConfigRule, text: string): unknown {
  if (rule.type === "function") {
    throw new ConfigError(`${variable}: a function cannot stand in the environment; set it in tokenpair.config.js`);
  }
  if (text.trim() === "" && rule.type !== "texts" && rule.type !== "networks") {
    throw new ConfigError(`${variable}: is empty; give it a value, or leave it out for the default`);
  }
  const value = toValue(rule, text);
  const fault = findConfigFault(rule, value);
  if (fault !== null) throw new ConfigError(`${variable}: ${fault}`);
  return value;
}

/** The value that `text` stands for, or `text` itself where it stands for none. */
function toValue(rule: ConfigRule, text: string): unknown {
  const trimmed = text.trim();
  switch (rule.type) {
    case "seconds":
    case "count":
    case "port":
      return /^\d+$/.test(trimmed) ? Number(trimmed) : text;
    case "boolean":
    case "true":
      return booleans.get(trimmed.toLowerCase()) ?? text;
    case "texts":
    case "networks":
      return trimmed === "" ? [] : trimmed.split(",").map((item) => item.trim());
    default:
      return trimmed;
  }
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);
