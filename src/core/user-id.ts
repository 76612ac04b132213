import { toShown } from "./settings/faults.ts";

/** The maximum number of characters of a user id. */
export const maxUserIdLength = 255;

/**
 * Returns a user id as a string. A whole number or a bigint, which untyped code may get from a database, becomes its
 * decimal digits. Otherwise, the databases would store 42 differently, as "42" or "42.0".
 *
 * @param caller the function that the application called, or its own function that returned the id. The error names it.
 * @throws TypeError if the value is not an id: a string of 1 to 255 characters, not blank, without control characters.
 */
export function toUserId(value: unknown, caller: string): string {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string") {
    throw new TypeError(`${caller}: a user id must be a string, got ${toShown(value)}. Example: id: String(row.id)`);
  }
  const fault = findUserIdFault(value);
  if (fault !== null) throw new TypeError(`${caller}: ${fault}`);
  return value;
}

/**
 * Returns an object that names a user, with the id as a string.
 *
 * @param caller the function that the application called. The error names it.
 * @throws TypeError if the id can't be a user's.
 */
export function toOwner<T extends { readonly userId?: string | undefined }>(subject: T, caller: string): T {
  return { ...subject, userId: toUserId(subject.userId, caller) };
}

/** Returns what is wrong with the text of a user id, or `null`. A text that a database would change can't be an id. */
function findUserIdFault(id: string): string | null {
  if (id.trim() === "") return "a user id must not be empty or blank";
  if (id.length > maxUserIdLength) return `a user id has at most ${maxUserIdLength} characters, got ${id.length}`;
  return /[\p{Cc}\p{Surrogate}]/u.test(id) ? "a user id has no control characters and no lone surrogates" : null;
}
