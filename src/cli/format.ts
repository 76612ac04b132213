/** An ISO 8601 time in UTC of whole seconds since the epoch, or "never". */
export function toTime(seconds: number | null): string {
  return seconds === null ? "never" : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** "1 session", "2 sessions". */
export function toCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Lines with aligned columns under `headings`. Control characters, which could steer the terminal, become "?". */
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

/** `text` as one harmless line. */
export function withoutControls(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}
