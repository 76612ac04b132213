import type { Confirmed, RevokedAndConfirmed } from "../flows/commit.ts";

/**
 * Returns an ISO 8601 time in UTC, or "never" for `null`.
 *
 * @param seconds a time in whole seconds since the epoch.
 */
export function toTime(seconds: number | null): string {
  return seconds === null ? "never" : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Returns a number with its noun: "1 session", "2 sessions". */
export function toCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Returns the lines of a table with aligned columns, without control characters. */
export function toTable(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const cells = [headings, ...rows.map((row) => row.map(withoutControls))];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** Replaces every control character with "?". Otherwise, a value from a client could send commands to the terminal. */
export function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}

/** Returns the line that says how a revocation was confirmed. Returns no line if no confirmation was requested. */
export function toConfirmationLines({ confirmed }: Confirmed): readonly string[] {
  switch (confirmed) {
    case undefined:
      return [];
    case "pending":
      return ["Not confirmed: some nodes may accept the access tokens until their maxStaleness is over."];
    default:
      return ["Confirmed: no node accepts the access tokens any more."];
  }
}

/** Returns the number of revoked sessions, and how the revocation was confirmed, as JSON. */
export function toRevokedJson({ sessions, confirmed }: RevokedAndConfirmed) {
  return { revoked: sessions, ...(confirmed === undefined ? {} : { confirmed }) };
}

/** Returns the notice that the log of a server can't be written. */
export function toLogNotice({ code, name }: NodeJS.ErrnoException): string {
  return `The log can't be written (${code ?? name}). The server keeps running; the metrics count the lost lines.`;
}
