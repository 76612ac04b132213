import type { Config } from "../config/config.ts";
import { createLog, type ServerLog } from "./log.ts";
import { createLogOutput, type LineWriter } from "./log-output.ts";

/** The options of `openLog`. */
export interface OpenLogOptions {
  /** The stream to which the lines are written. */
  readonly logTo: LineWriter;
  /** Called once, with the error of the first line that could not be written. Default: does nothing. */
  readonly onLogLost?: ((error: Error) => void) | undefined;
  /** The number of the worker, which every line then names. */
  readonly worker?: number | undefined;
}

/** A log that writes to a stream. */
export interface OpenLog {
  readonly log: ServerLog;
  /** Returns how many lines could not be written since the start. */
  readonly lostLines: () => number;
}

/** Opens the log of a process. When lines can be written again, the log says how many were lost. */
export function openLog({ server, settings }: Config, { logTo, onLogLost, worker }: OpenLogOptions): OpenLog {
  const output = createLogOutput(logTo, {
    onLost: (error) => onLogLost?.(error),
    onRecovered: (lost) => log.linesLost(lost),
  });
  const log = createLog({ settings, level: server.logLevel, destination: output, worker });
  return { log, lostLines: output.lost };
}
