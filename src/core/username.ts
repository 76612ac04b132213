/**
 * Returns the form in which a username is unique and looked up: trimmed, in NFKC, and without the case of its letters
 * unless `caseSensitive`.
 *
 * @see https://www.unicode.org/reports/tr15/ Unicode UAX #15
 */
export function toUsernameKey(username: string, caseSensitive: boolean): string {
  const normalized = username.trim().normalize("NFKC");
  return caseSensitive ? normalized : foldCase(normalized);
}

/**
 * Returns the key that tokenpair 0.1 gave to this username: in lower case. It differs from today's key for a few letters,
 * such as ß and the final sigma. Users who were created then may have it still.
 */
export function toFormerUsernameKey(username: string, caseSensitive: boolean): string {
  const normalized = username.trim().normalize("NFKC");
  return caseSensitive ? normalized : normalized.toLowerCase();
}

/**
 * Removes the differences that Unicode's full case folding removes. Lower case alone keeps ß apart from SS, and ς from Σ.
 * The capital ẞ only becomes SS by way of ß. The dotless ı is another letter.
 */
function foldCase(text: string): string {
  const folded = text
    .toLowerCase()
    .replace(/[^ı]+/gu, (part) => part.toUpperCase().toLowerCase())
    .replaceAll("ς", "σ");
  return folded.normalize("NFKC");
}
