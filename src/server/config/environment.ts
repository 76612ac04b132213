import { toUnknownSettingMessage } from "../../core/settings/resolve.ts";
import { ConfigError } from "./config-error.ts";
import { type ConfigRule, configRules, findConfigFault } from "./server-settings.ts";
import { isServiceVariable } from "./service-variables.ts";

const prefix = "TOKENPAIR_";

/** Returns the name of a setting's environment variable: `TOKENPAIR_` followed by the name in upper snake case. */
export function toVariableName(setting: string): string {
  return prefix + setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** What `tokenpair verifier` and the example verifiers read. They may share an environment with the other commands. */
const ofVerifiers: ReadonlySet<string> = new Set(
  ["FEED_CREDENTIAL", "RELAY_CREDENTIALS", "URL", "FEED_FILE"].map((name) => prefix + name),
);

const settingOfVariable: ReadonlyMap<string, string> = new Map(
  Object.keys(configRules).map((setting) => [toVariableName(setting), setting]),
);

/**
 * Returns the settings in the environment. Each value is parsed according to its rule: a number ("none" for `null`), `true`
 * or `false` (or `1` and `0`), or a list separated by commas. Variables that Kubernetes creates for a Service called
 * `tokenpair…` are ignored, and so are those of verifiers.
 *
 * @throws ConfigError if a `TOKENPAIR_` variable isn't a setting, or if its value is invalid.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || text === undefined || isServiceVariable(variable, text)) continue;
    if (ofVerifiers.has(variable)) continue;
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
    throw new ConfigError(`${variable}: must be a function; set it in tokenpair.config.js`);
  }
  if (text.trim() === "" && rule.type !== "texts" && rule.type !== "networks") {
    throw new ConfigError(`${variable}: is empty; set a value, or remove the variable to use the default`);
  }
  const value = toValue(rule, text);
  const fault = findConfigFault(rule, value);
  if (fault !== null) throw new ConfigError(`${variable}: ${fault}`);
  return value;
}

/** Returns the parsed value. If `text` can't be parsed, returns `text` itself, which the setting's rule then refuses. */
function toValue(rule: ConfigRule, text: string): unknown {
  const trimmed = text.trim();
  switch (rule.type) {
    case "seconds":
    case "count":
    case "port":
      return trimmed.toLowerCase() === "none" ? null : /^\d+$/.test(trimmed) ? Number(trimmed) : text;
    case "decimal seconds":
      return trimmed.toLowerCase() === "none" ? null : /^\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : text;
    case "boolean":
    case "true":
      return booleans.get(trimmed.toLowerCase()) ?? text;
    case "choice": {
      const flag = booleans.get(trimmed.toLowerCase());
      return flag !== undefined && rule.choices.includes(flag) ? flag : trimmed;
    }
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
