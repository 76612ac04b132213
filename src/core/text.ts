/**
 * Returns an ISO 8601 time in UTC, or "never" for `null`.
 *
 * @param seconds a time in whole seconds since the epoch.
 */
export function toTime(seconds: number | null): string {
  return seconds === null ? "never" : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Returns a number with its noun: "1 session", "2 sessions". `plural` is the noun with an "s" by default. */
export function toCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Replaces every control character with "?". Otherwise, a value from a client could send commands to the terminal. */
export function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
