import { toCount } from "../../core/text.ts";
import type { Context } from "../context.ts";
import { startOfLine } from "../terminal.ts";

/** The progress of an import. */
export interface Progress {
  /** The processed share of the file, from 0 to 1. `null` if the size is unknown. */
  readonly share: number | null;
  /** The number of users who were imported or already existed. */
  readonly users: number;
  /** The number of records that were refused. */
  readonly refused: number;
}

/** A progress bar on one line of the terminal. It does nothing if stderr isn't a terminal. */
export interface ProgressBar {
  /** Draws the line. */
  readonly show: (progress: Progress) => void;
  /** Clears the line, so that other output can be written. The next `show` draws it again. */
  readonly clear: () => void;
}

const barWidth = 30;

/** Creates a progress bar on stderr. */
export function createProgressBar({ stderr }: Pick<Context, "stderr">): ProgressBar {
  if (stderr.isTTY !== true) return { show() {}, clear() {} };
  return {
    show: (progress) => void stderr.write(`${startOfLine}${toLine(progress).slice(0, (stderr.columns || 80) - 1)}`),
    clear: () => void stderr.write(startOfLine),
  };
}

function toLine({ share, users, refused }: Progress): string {
  const counts = `${toCount(users, "user")}${refused === 0 ? "" : `, ${refused} refused`}`;
  if (share === null) return counts;
  const filled = Math.round(share * barWidth);
  return `[${"#".repeat(filled)}${".".repeat(barWidth - filled)}] ${Math.floor(share * 100)} %  ${counts}`;
}
