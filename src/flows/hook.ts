import { AuthError } from "../core/errors.ts";

/**
 * Calls a hook: a function that the application passed as a setting.
 *
 * @param name the setting's name, which the error contains.
 * @throws AuthError `unavailable` if the hook fails. The hook's error is the `cause`, which `onError` gets but the client
 * never sees. If the hook itself throws `unavailable`, for example because too many passwords wait in `tokenpair/passwords`, it
 * is that error, which `onError` gets only if it has a `cause`.
 */
export async function callHook<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof AuthError && cause.code === "unavailable") throw cause;
    throw new AuthError("unavailable", `${name} failed`, { cause });
  }
}
