/**
 * The form under which a username is unique and found: NFKC (Unicode UAX #15), and lower case unless case counts.
 * Surrounding white space is not part of a username.
 */
export function toUsernameKey(username: string, caseSensitive: boolean): string {
  const normalized = username.trim().normalize("NFKC");
  return caseSensitive ? normalized : normalized.toLowerCase();
}
