import type { Clock } from "../core/runtime/clock.ts";
import type { RunningServer } from "./serve.ts";

/** The part of `process` that ends a server. */
export interface ProcessSignals {
  on(signal: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  on(event: "uncaughtException", listener: (error: unknown) => void): unknown;
  exit(code: number): void;
}

/** Milliseconds after which an end that hangs is cut short. */
const deadline = 10_000;

/** Milliseconds in which a second signal is the same one: npm passes on what the terminal has sent to both of them. */
const sameSignal = 500;

/**
 * Ends the server cleanly at the first SIGTERM or SIGINT, and at once at the second. An error that nobody caught is
 * logged and ends the process with exit code 1: what state it left behind is unknown.
 */
export function endWithProcess(
  server: Pick<RunningServer, "close" | "log">,
  process: ProcessSignals,
  now: Clock["monotonic"],
): void {
  let endingSince: number | null = null;

  function fail(error: unknown, message: string): void {
    server.log.error(error, message);
    process.exit(1);
  }

  function end(): void {
    if (endingSince !== null) {
      if (now() - endingSince > sameSignal) process.exit(1);
      return;
    }
    endingSince = now();
    setTimeout(() => process.exit(1), deadline).unref();
    server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error, "the server did not end cleanly"),
    );
  }

  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("uncaughtException", (error) => fail(error, "uncaught"));
}
