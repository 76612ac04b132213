import { AuthError } from "../core/errors.ts";

/**
 * Calls a hook: a function that the application passed as a setting.
 *
 * @param name the setting's name, for the error.
 * @throws AuthError `unavailable` if the hook fails. Its error is the `cause`: `onError` gets it, the client never
 * does.
 */
export async function callHook<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new AuthError("unavailable", `${name} failed`, { cause });
  }
}
