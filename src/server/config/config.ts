import { resolveSettings } from "../../core/settings/resolve.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { withConfigErrors } from "./config-error.ts";
import { readConfigFile, toConfigFile } from "./config-file.ts";
import { readEnvironment } from "./environment.ts";
import { defaultServerSettings, isServerSetting, type ServerSettings } from "./server-settings.ts";

/** The sources of the settings. */
export interface ConfigSources {
  /** The working directory. It contains the config file, and relative paths in settings start from it. */
  readonly directory: string;
  /** The content of the config file. Default: the file in `directory`, if there is one. */
  readonly given?: object;
  /** The environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The flags of the command line. */
  readonly flags?: Partial<ServerSettings> & Partial<Settings<AuthUser>>;
}

/** The resolved settings. */
export interface Config {
  /** The working directory. */
  readonly directory: string;
  /** The settings that only the server has. */
  readonly server: ServerSettings;
  /** The settings of `createAuth`. */
  readonly settings: Settings<AuthUser>;
  /**
   * A text for people that names the sources of the settings, for example "tokenpair.config.js and 2 environment
   * variables".
   */
  readonly source: string;
}

/**
 * Loads the settings. Later sources override earlier ones: defaults, config file, environment, flags.
 *
 * @throws ConfigError that names the setting, its source, and the fix.
 */
export async function resolveConfig({ directory, given: config, env, flags = {} }: ConfigSources): Promise<Config> {
  const file = config === undefined ? await readConfigFile(directory) : toConfigFile("config", config);
  const variables = readEnvironment(env);
  const given = withoutUndefined({ ...file?.settings, ...variables, ...withoutUndefined(flags) });
  const server = Object.entries(given).filter(([name]) => isServerSetting(name));
  const settings = Object.entries(given).filter(([name]) => !isServerSetting(name));
  return Object.freeze({
    directory,
    server: Object.freeze({ ...defaultServerSettings, ...Object.fromEntries(server) }),
    settings: withConfigErrors(() => resolveSettings(Object.fromEntries(settings))),
    source: toSource(file?.name, Object.keys(variables).length),
  });
}

function withoutUndefined(settings: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function toSource(fileName: string | undefined, variables: number): string {
  const sources = [
    ...(fileName === undefined ? [] : [fileName]),
    ...(variables === 0 ? [] : [`${variables} environment variable${variables === 1 ? "" : "s"}`]),
  ];
  return sources.length === 0 ? "the defaults" : sources.join(" and ");
}
