/**
 * Returns the form in which a username is unique and looked up: trimmed, in NFKC, and in lower case unless
 * `caseSensitive`.
 *
 * @see https://www.unicode.org/reports/tr15/ Unicode UAX #15
 */
export function toUsernameKey(username: string, caseSensitive: boolean): string {
  const normalized = username.trim().normalize("NFKC");
  return caseSensitive ? normalized : normalized.toLowerCase();
}
