import { AuthError } from "../core/errors.ts";

/**
 * Calls a hook: a function that the application passed as a setting.
 *
 * @param name the setting's name, which the error contains.
 * @throws AuthError `unavailable` if the hook fails. The hook's error is the `cause`, which `onError` gets but the client
 * never sees.
 */
export async function callHook<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new AuthError("unavailable", `${name} failed`, { cause });
  }
}
