import { AuthError } from "../core/errors.ts";

/**
 * Calls a function of the application.
 *
 * @throws AuthError `unavailable` if it fails. Its error is the cause, for `onError`, and never reaches the client.
 */
export async function callHook<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new AuthError("unavailable", `${name} failed`, { cause });
  }
}
