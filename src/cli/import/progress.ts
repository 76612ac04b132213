import type { Context } from "../context.ts";
import { toCount } from "../format.ts";

/** How far an import has come. */
export interface Progress {
  /** From 0 to 1; `null` where nobody knows. */
  readonly share: number | null;
  readonly users: number;
  readonly refused: number;
}

/** One line on the terminal that shows how far an import has come. Where stderr is no terminal it does nothing. */
export interface ProgressBar {
  readonly show: (progress: Progress) => void;
  /** Makes room for other text; the next `show` draws the line again. */
  readonly clear: () => void;
}

const barWidth = 30;

export function createProgressBar({ stderr }: Pick<Context, "stderr">): ProgressBar {
  if (stderr.isTTY !== true) return { show() {}, clear() {} };
  return {
    show: (progress) => void stderr.write(`\r\u001B[K${toLine(progress).slice(0, (stderr.columns || 80) - 1)}`),
    clear: () => void stderr.write("\r\u001B[K"),
  };
}

function toLine({ share, users, refused }: Progress): string {
  const counts = `${toCount(users, "user")}${refused === 0 ? "" : `, ${refused} refused`}`;
  if (share === null) return counts;
  const filled = Math.round(share * barWidth);
  return `[${"#".repeat(filled)}${".".repeat(barWidth - filled)}] ${Math.floor(share * 100)} %  ${counts}`;
}
