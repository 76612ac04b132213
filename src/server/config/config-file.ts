import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { toUnknownSettingMessage } from "../../core/settings/resolve.ts";
import { ConfigError } from "./config-error.ts";
import { configRules, findConfigFault } from "./server-settings.ts";

/** A config file. */
export interface ConfigFile {
  /** The file's name, without its folder. */
  readonly name: string;
  /** The settings in the file. They have been checked. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const fileNames = ["js", "mjs", "ts", "json"].map((extension) => `tokenpair.config.${extension}`);

/**
 * Reads `tokenpair.config.{js,mjs,ts,json}` in `directory`, and returns its default export or its JSON object.
 *
 * @returns the file, or `null` if there is no config file.
 * @throws ConfigError if there are two files, if the file can't be read, or if a setting in it is unknown or invalid.
 */
export async function readConfigFile(directory: string): Promise<ConfigFile | null> {
  const [name, second] = fileNames.filter((fileName) => existsSync(join(directory, fileName)));
  if (name === undefined) return null;
  if (second !== undefined) throw new ConfigError(`found both ${name} and ${second}; keep one of them`);
  const path = join(directory, name);
  return toConfigFile(name, name.endsWith(".json") ? readJson(name, path) : await importDefault(name, path));
}

/**
 * Checks the content of a config file.
 *
 * @param name the file's name, for messages.
 * @throws ConfigError if a setting is unknown or invalid.
 */
export function toConfigFile(name: string, content: unknown): ConfigFile {
  const settings = toSettings(name, content);
  for (const [setting, value] of Object.entries(settings)) {
    const fault = findFault(setting, value);
    if (fault !== null) throw new ConfigError(`${name}: ${fault}`);
  }
  return { name, settings };
}

function readJson(name: string, path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    // The parser's message quotes the file, which may hold the signing key.
    if (error instanceof SyntaxError) throw new ConfigError(`${name}: is not valid JSON`);
    throw new ConfigError(`${name}: can't be read; check its owner and mode`, { cause: error });
  }
}

async function importDefault(name: string, path: string): Promise<unknown> {
  if (name.endsWith(".ts") && !process.features.typescript) {
    throw new ConfigError(
      `${name}: Node ${process.versions.node} can't run TypeScript; use Node 22.18 or later, or a .js file`,
    );
  }
  try {
    const module: { readonly default?: unknown } = await import(
      /* webpackIgnore: true */ /* turbopackIgnore: true */ pathToFileURL(path).href
    );
    return module.default;
  } catch (error) {
    throw new ConfigError(`${name}: ${toFailure(name, error)}; for details, run: node ${name}`);
  }
}

/**
 * Returns the class and the line of an error, but not its message, because the message may quote the signing key in the
 * file.
 */
function toFailure(name: string, error: unknown): string {
  if (!(error instanceof Error)) return "it threw a value that isn't an Error";
  const line = error.stack?.split(`/${name}:`)[1]?.match(/^\d+/)?.[0];
  return `${error.constructor.name}${line === undefined ? "" : ` at line ${line}`}`;
}

function toSettings(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  const what = name.endsWith(".json") ? "must be an object" : "must export an object of settings as its default";
  throw new ConfigError(`${name}: ${what}`);
}

function findFault(setting: string, value: unknown): string | null {
  const rule = Object.hasOwn(configRules, setting) ? configRules[setting] : undefined;
  if (rule === undefined) return toUnknownSettingMessage(setting, Object.keys(configRules));
  const fault = value === undefined ? null : findConfigFault(rule, value);
  return fault === null ? null : `${setting}: ${fault}`;
}
