import { isNetwork, unixPeer } from "../addresses.ts";
import { days, hours, minutes } from "./durations.ts";
import type { SettingRule } from "./rules.ts";

/**
 * Returns what is wrong with a value, such as "must be true or false, got 1", or `null`. The text completes a sentence that
 * begins with the setting's name. It shows the value unless the value may be a secret.
 */
export function findSettingFault(rule: SettingRule, value: unknown): string | null {
  const culprit = findCulprit(rule, value);
  if (culprit === null) return null;
  const isSecret = "secret" in rule && rule.secret === true;
  return `must be ${toDemand(rule)}${isSecret ? "" : `, got ${toShown(culprit.value)}`}`;
}

/** Returns the value that breaks the rule, or the first item that does. Returns `null` if the value follows the rule. */
function findCulprit(rule: SettingRule, value: unknown): { readonly value: unknown } | null {
  if (rule.type === "texts" || rule.type === "networks") {
    const atLeast = rule.type === "texts" ? rule.atLeast : 0;
    if (!Array.isArray(value) || value.length < atLeast) return { value };
    const at = value.findIndex((item) => !isItem(rule, item));
    return at === -1 ? null : { value: value[at] };
  }
  return keeps(rule, value) ? null : { value };
}

type ListRule = Extract<SettingRule, { readonly type: "texts" | "networks" }>;

function isItem(rule: ListRule, item: unknown): boolean {
  return rule.type === "networks" ? item === unixPeer || isNetwork(item) : isText(item, rule.pattern);
}

function keeps(rule: Exclude<SettingRule, ListRule>, value: unknown): boolean {
  switch (rule.type) {
    case "seconds":
    case "count":
      return (rule.nullable === true && value === null) || (Number.isSafeInteger(value) && isInRange(rule, value));
    case "decimal seconds":
      return (rule.nullable === true && value === null) || isInRange(rule, value);
    case "boolean":
      return typeof value === "boolean";
    case "true":
      return value === true;
    case "choice":
      return rule.choices.includes(value as string | boolean);
    case "text":
      return isText(value, rule.pattern);
    case "function":
      return typeof value === "function";
  }
}

/** Returns whether the value is a number in the range. NaN is not. */
function isInRange({ min, max }: { readonly min: number; readonly max: number }, value: unknown): boolean {
  return typeof value === "number" && value >= min && value <= max;
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}

function toDemand(rule: SettingRule): string {
  switch (rule.type) {
    case "seconds":
      return `a whole number of seconds from ${rule.min} to ${rule.max}${orNull(rule)}`;
    case "decimal seconds":
      return `a number of seconds from ${rule.min} to ${rule.max}${orNull(rule)}`;
    case "count":
      return `a whole number of ${rule.of} from ${rule.min} to ${rule.max}${orNull(rule)}`;
    case "boolean":
      return "true or false";
    case "true":
      return `true, because ${rule.why}`;
    case "choice":
      return `one of ${rule.choices.map((choice) => JSON.stringify(choice)).join(", ")}`;
    case "text":
      return rule.form;
    case "texts":
      return `a list of ${rule.form}`;
    case "networks":
      return 'a list of IP addresses, networks such as "10.0.0.0/8" or "2001:db8::/32", and "unix" for unix sockets';
    case "function":
      return "a function";
  }
}

function orNull({ nullable }: { readonly nullable?: true }): string {
  return nullable === true ? ", or null for no limit" : "";
}

/**
 * Returns an example of the setting as code, such as `leeway: minutes(5)`. Returns `null` if the fault is clear without an
 * example.
 */
export function findSettingExample(name: string, rule: SettingRule, defaultValue: unknown): string | null {
  switch (rule.type) {
    case "seconds":
      return `${name}: ${toDuration(Number(defaultValue) || rule.max)}`;
    case "texts":
      return rule.example === undefined ? null : `${name}: ["${rule.example}"]`;
    case "networks":
      return `${name}: ["10.0.0.0/8"]`;
    default:
      return null;
  }
}

const units = [
  ["days", days(1)],
  ["hours", hours(1)],
  ["minutes", minutes(1)],
] as const;

function toDuration(seconds: number): string {
  const [unit, size] = units.find(([, size]) => seconds % size === 0) ?? [];
  return size === undefined ? String(seconds) : `${unit}(${seconds / size})`;
}

/** The number of characters of a text that an error message shows. */
const maxShown = 60;

/**
 * Returns a value in the form in which an error message shows it: short and on one line. A URL is shown without its user
 * and password. An object is shown as "an object", without its content.
 */
export function toShown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(toShort(value.replace(/\/\/.*@/s, "//…@")));
    case "object":
      if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
      return value === null ? "null" : "an object";
    case "function":
    case "symbol":
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}

function toShort(text: string): string {
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
