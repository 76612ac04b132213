/**
 * Converts a user id to a number, or returns `null` if it isn't one. Generated ids are consecutive numbers, so a number
 * that was ever an id must not be generated again. At most 15 digits, which JavaScript and SQL both hold exactly.
 */
export function toUserNumber(id: string): number | null {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : null;
}
