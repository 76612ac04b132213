/**
 * Returns the form of a username that is unique and used for look-ups: trimmed, in NFKC and, unless `caseSensitive` is
 * true, without differences between upper and lower case.
 *
 * @see https://www.unicode.org/reports/tr15/ Unicode UAX #15
 */
export function toUsernameKey(username: string, caseSensitive: boolean): string {
  const normalized = username.trim().normalize("NFKC");
  return caseSensitive ? normalized : foldCase(normalized);
}

/**
 * Returns the key that version 0.1 gave to this username: the name in lower case. It differs from the current key for a few
 * letters, such as ß and the final sigma. Users who were created by version 0.1 may still have this key.
 */
export function toFormerUsernameKey(username: string, caseSensitive: boolean): string {
  const normalized = username.trim().normalize("NFKC");
  return caseSensitive ? normalized : normalized.toLowerCase();
}

/**
 * Removes the same differences as Unicode's full case folding. Lower case alone would keep ß different from SS, and ς from
 * Σ. The capital ẞ becomes SS only through ß. The dotless ı stays a different letter.
 */
function foldCase(text: string): string {
  const folded = text
    .toLowerCase()
    .replace(/[^ı]+/gu, (part) => part.toUpperCase().toLowerCase())
    .replaceAll("ς", "σ");
  return folded.normalize("NFKC");
}
