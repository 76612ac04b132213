/** The part of a writable stream that the log needs. */
export interface LineWriter {
  /** Writes a line. Calls `done` when it is written, or with the error. */
  write(line: string, done?: (error?: Error | null) => void): unknown;
}

/** The output of the log. A line that can't be written is counted, and has no other effect. */
export interface LogOutput {
  /** Writes a line. Never throws. */
  readonly write: (line: string) => void;
  /** Returns how many lines could not be written since the start. */
  readonly lost: () => number;
}

/** The options of `createLogOutput`. */
export interface LogOutputOptions {
  /** Called once, with the error of the first line that could not be written. */
  readonly onLost: (error: Error) => void;
  /** Called when lines can be written again, with the number of lines that were lost in the meantime. */
  readonly onRecovered: (lost: number) => void;
}

/**
 * Creates the output of a log that writes to a stream. The stream may fail, for example because it is a pipe whose reader
 * has ended, or a file on a full disk.
 */
export function createLogOutput(stream: LineWriter, { onLost, onRecovered }: LogOutputOptions): LogOutput {
  let lost = 0;
  let unreported = 0;

  function settle(error: unknown): void {
    if (error instanceof Error) {
      lost += 1;
      unreported += 1;
      if (lost === 1) onLost(error);
    } else if (unreported > 0) {
      const count = unreported;
      unreported = 0;
      onRecovered(count);
    }
  }

  return Object.freeze({
    write(line: string) {
      try {
        stream.write(line, settle);
      } catch (error) {
        settle(error);
      }
    },
    lost: () => lost,
  });
}
