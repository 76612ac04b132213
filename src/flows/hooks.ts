import { AuthError } from "../core/errors.ts";

/**
 * Calls a function of the application's.
 *
 * @throws AuthError `unavailable` where it fails; its error is the cause, for `onError`, and never reaches the client.
 */
export async function ask<T>(hook: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new AuthError("unavailable", `${hook} failed`, { cause });
  }
}
