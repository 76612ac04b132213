import type { AuthOptions } from "../../auth-options.ts";
import type { ApplicationClaims } from "../../core/claims.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { requireOptions } from "../../core/settings/unknown-options.ts";
import type { AuthUser, User } from "../../core/user.ts";
import { resolveConfig } from "./config.ts";
import { openDatabase, toAuthOptions } from "./open-database.ts";
import type { ServerSettings } from "./server-settings.ts";

/**
 * The content of `tokenpair.config.ts`: every setting that differs from its default. The command line and `loadConfig`
 * read it.
 *
 * @typeParam U the type of the application's users, if it has its own user table.
 * @typeParam C the type of the claims that the application adds to tokens.
 */
export interface TokenpairConfig<U extends AuthUser = User, C extends object = ApplicationClaims>
  extends Partial<ServerSettings>,
    Partial<Settings<U, C>> {}

/**
 * Returns its argument. Gives `tokenpair.config.ts` types and completion in an editor.
 *
 * @example
 * export default defineConfig({ accessTokenLifetime: minutes(15), trustedOrigins: ["https://app.example.com"] });
 */
export function defineConfig<U extends AuthUser = User, C extends object = ApplicationClaims>(
  config: TokenpairConfig<U, C>,
): TokenpairConfig<U, C> {
  return config;
}

/** The options of `loadConfig`. */
export interface LoadConfigOptions<U extends AuthUser = User, C extends object = ApplicationClaims> {
  /**
   * The default export of your config file. Pass it if a bundler builds your server, because a bundle can't find the file,
   * or if you want the types of your own users and claims. Default: `tokenpair.config.{js,mjs,ts,json}` in `directory`, if
   * there is one.
   */
  readonly config?: TokenpairConfig<U, C>;
  /** The folder of the config file. Relative paths in settings start from it. Default: the working directory. */
  readonly directory?: string;
  /** The environment variables. Those that begin with `TOKENPAIR_` override the config file. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Whether to create the SQLite file if it is missing, and to apply pending migrations. If not, run `tokenpair migrate`
   * before. Default: true.
   */
  readonly migrate?: boolean;
}

/**
 * Reads the settings by the same rules as `tokenpair serve`, opens the database and finds the keys. Returns the options of
 * `createAuth`. So you set everything once, in `tokenpair.config.ts` or the environment, for your application and for the
 * command line.
 *
 * With SQLite, a missing signing key is created next to the database, in a file that only its owner can read.
 *
 * Close the store after `auth.close()`: it is the member `store` of the result.
 *
 * @throws ConfigError if a setting is unknown or wrong, if a key is missing, or if this version of Node can't run a `.ts`
 * file. Its message says what to do, and contains no secret.
 * @throws SchemaVersionError if the schema is newer than this version, or isn't current with `migrate: false`.
 * @throws StoreUnavailableError if the database can't answer.
 * @example
 * const config = await loadConfig();
 * const auth = createAuth(config);
 * await auth.ready();
 */
export async function loadConfig<U extends AuthUser = User, C extends object = ApplicationClaims>(
  options: LoadConfigOptions<U, C> = {},
): Promise<AuthOptions<U, C>> {
  requireOptions("loadConfig", options, ["config", "directory", "env", "migrate"]);
  const { config: given, directory = process.cwd(), env, migrate = true } = options;
  // Not a default above: the config file may read .env into the environment.
  const config = await resolveConfig({ directory, env: env ?? process.env, ...(given === undefined ? {} : { given }) });
  const opened = await openDatabase(config, migrate);
  try {
    return toAuthOptions(config, opened) as unknown as AuthOptions<U, C>;
  } catch (error) {
    await opened.store.close();
    throw error;
  }
}
