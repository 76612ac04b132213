import type { Spread } from "./statistics.ts";

/** A Markdown table, padded so that it can be read as text; every column but the first is aligned to the right. */
export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? "").length)));
  const toLine = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const toRow = (row: readonly string[]) =>
    toLine(widths.map((width, i) => (i === 0 ? (row[i] ?? "").padEnd(width) : (row[i] ?? "").padStart(width))));
  const rule = toLine(widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)));
  return [toRow(head), rule, ...rows.map(toRow)].join("\n");
}

/** Three significant digits, thousands apart: `0.0123`, `4.57`, `12,300`. */
export function toFigure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

/** `1.32 (1.28–1.35)` */
export const toRatio = ({ median, min, max }: Spread): string =>
  `${toFigure(median)} (${toFigure(min)}–${toFigure(max)})`;

/** `410–455` */
export const toRange = ({ min, max }: Spread): string => `${toFigure(min)}–${toFigure(max)}`;
