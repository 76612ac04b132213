import { withoutControls } from "../core/text.ts";
import { type Confirmed, type RevokedAndConfirmed, toConfirmed } from "../flows/commit.ts";

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
export function toRevokedJson(revoked: RevokedAndConfirmed) {
  return { revoked: revoked.sessions, ...toConfirmed(revoked) };
}

/** Returns the notice that the log of a server can't be written. */
export function toLogNotice({ code, name }: NodeJS.ErrnoException): string {
  return `The log can't be written (${code ?? name}). The server keeps running; the metrics count the lost lines.`;
}
