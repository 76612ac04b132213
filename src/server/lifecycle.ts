import type { Clock } from "../core/runtime/clock.ts";
import type { ServerLog } from "./observe/log.ts";

/** The part of Node's `process` that `closeOnSignals` needs. */
export interface ProcessSignals {
  on(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  on(event: "uncaughtException", listener: (error: unknown) => void): unknown;
  exit(code: number): void;
}

/** What is closed: a server or a sidecar. */
export interface Closable {
  readonly log: Pick<ServerLog, "error">;
  /** How many seconds closing waits before it stops accepting connections. */
  readonly shutdownDelay: number;
  /** Answers running requests, and closes everything. */
  close(): Promise<void>;
}

/** The longest time that closing may take after `shutdownDelay`, in milliseconds. After that, the process exits with code 1. */
const closeTimeout = 10_000;

/**
 * The time in which a second signal counts as a duplicate of the first, in milliseconds. npm forwards signals that the
 * process also receives itself.
 */
const duplicateInterval = 500;

/**
 * Closes the server at the first SIGTERM or SIGINT, and exits with code 0. At a second signal, exits immediately with code
 * 1. At an uncaught error, logs the error and exits with code 1, because the state of the process is unknown.
 *
 * @param now returns the time in milliseconds, on a clock that never jumps.
 */
export function closeOnSignals(server: Closable, process: ProcessSignals, now: Clock["monotonic"]): void {
  let closingSince: number | null = null;

  function fail(error: unknown, message: string): void {
    server.log.error(error, message);
    process.exit(1);
  }

  function onSignal(): void {
    if (closingSince !== null) {
      if (now() - closingSince > duplicateInterval) process.exit(1);
      return;
    }
    closingSince = now();
    setTimeout(() => process.exit(1), server.shutdownDelay * 1_000 + closeTimeout).unref();
    server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error, "closing the server failed"),
    );
  }

  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("uncaughtException", (error) => fail(error, "uncaught exception"));
}
