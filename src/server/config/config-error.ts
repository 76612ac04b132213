/**
 * Thrown if the configuration has a mistake. The message tells the operator what is wrong and what to do. It never contains
 * a secret.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Awaits `work`, and converts its errors like `withConfigErrors`.
 *
 * @throws ConfigError instead of a `TypeError`.
 */
export async function withAsyncConfigErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    return withConfigErrors(() => {
      throw error;
    });
  }
}

/**
 * Runs `work`, which throws a `TypeError` if a setting is wrong. Converts that error to a ConfigError.
 *
 * @param prefix a text before the message of that error.
 * @throws ConfigError instead of the `TypeError`.
 */
export function withConfigErrors<T>(work: () => T, prefix = ""): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError(`${prefix}${error.message}`, { cause: error });
    throw error;
  }
}
