/** The entry `tokenpair/config`: the settings of `tokenpair.config.ts`, for applications and for the command line. */

export { ConfigError } from "./config-error.ts";
export { defineConfig, type LoadConfigOptions, loadConfig, type TokenpairConfig } from "./load.ts";
export type { LogLevel, ServerSettings } from "./server-settings.ts";
