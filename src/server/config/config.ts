import { resolveSettings } from "../../core/settings/resolve.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { ConfigError } from "./config-error.ts";
import { readConfigFile } from "./config-file.ts";
import { readEnvironment } from "./environment.ts";
import { defaultServerSettings, isServerSetting, type ServerSettings } from "./server-settings.ts";

/** Where settings come from. */
export interface ConfigSources {
  /** The working directory: of the config file, and of paths in settings. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line says. */
  readonly flags?: Partial<ServerSettings>;
}

/** All settings, resolved. */
export interface Config {
  readonly directory: string;
  readonly server: ServerSettings;
  readonly settings: Settings<AuthUser>;
  /** Where they are from, in words. */
  readonly origin: string;
}

/**
 * The settings, in rising order: defaults, config file, environment, flags.
 *
 * @throws ConfigError that names the setting, where it stands, and the fix.
 */
export async function loadConfig({ directory, env, flags = {} }: ConfigSources): Promise<Config> {
  const file = await readConfigFile(directory);
  const variables = readEnvironment(env);
  const given = withoutUndefined({ ...file?.settings, ...variables, ...withoutUndefined(flags) });
  const server = Object.entries(given).filter(([name]) => isServerSetting(name));
  const settings = Object.entries(given).filter(([name]) => !isServerSetting(name));
  return Object.freeze({
    directory,
    server: Object.freeze({ ...defaultServerSettings, ...Object.fromEntries(server) }),
    settings: resolve(Object.fromEntries(settings)),
    origin: toClientInfo(file?.name, Object.keys(variables).length),
  });
}

function resolve(settings: Record<string, unknown>): Settings<AuthUser> {
  try {
    return resolveSettings(settings);
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError(error.message);
    throw error;
  }
}

function withoutUndefined(settings: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function toClientInfo(fileName: string | undefined, variables: number): string {
  const sources = [
    ...(fileName === undefined ? [] : [fileName]),
    ...(variables === 0 ? [] : [`${variables} environment variable${variables === 1 ? "" : "s"}`]),
  ];
  return sources.length === 0 ? "the defaults" : sources.join(" and ");
}
