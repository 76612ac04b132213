/** What is wrong with the configuration, in words for whoever runs the server. Never holds the value of a setting. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
