/**
 * Converts a user id to a number. Returns `null` if it isn't a number with at most 15 digits, which JavaScript and SQL can
 * both represent exactly. Generated ids are consecutive numbers, and a number that was ever an id must not be generated
 * again.
 */
export function toUserNumber(id: string): number | null {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : null;
}
