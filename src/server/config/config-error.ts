/** A mistake in the configuration. The message tells the operator what is wrong and what to do. It never holds a secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Awaits `work`, as `withConfigErrors` does. @throws ConfigError instead of a `TypeError`. */
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
 * Runs `work`, which throws a `TypeError` if a setting is wrong.
 *
 * @param prefix is put before the message of that error.
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
