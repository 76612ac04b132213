import type { Health } from "../../auth-results.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { Schedule, Timer } from "../../core/runtime/schedule.ts";
import type { ServerLog } from "../observe/log.ts";
import { type Channel, createChannel } from "./channel.ts";
import { mergeHealth } from "./merge-health.ts";

/** The process of a worker. `toWorkerProcess` makes one of Node's `cluster.Worker`. */
export interface WorkerProcess {
  /** Sends a message. Does nothing if the process has ended. */
  send(message: object): void;
  /** Sends SIGTERM. */
  stop(): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Calls the listener once, when the process has ended. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
}

/** What a worker reports when it is ready. */
export interface ReadyReport {
  readonly url: string;
  /** The URL of the console, or `null`. */
  readonly consoleUrl: string | null;
  /** What the worker prints at its start on stderr, in full lines. */
  readonly notices: readonly string[];
  /** A text for people that describes the database. */
  readonly database: string;
}

/** The options of `createSupervisor`. */
export interface SupervisorOptions {
  /** The number of workers. */
  readonly count: number;
  /** Starts the process of the worker with this number, from 1. */
  readonly fork: (number: number) => WorkerProcess;
  readonly log: Pick<ServerLog, "notice">;
  readonly clock: Pick<Clock, "monotonic">;
  readonly schedule: Schedule;
}

/** The workers of a machine, which are started again when they end. */
export interface Supervisor {
  /**
   * Starts the first worker, and when it is ready the others. So only one of them migrates the database and creates keys.
   *
   * @returns the report of the first worker.
   * @throws WorkerFailedError if a worker ends before all of them are ready. It has said why on stderr.
   */
  start(): Promise<ReadyReport>;
  /** Returns the health of all workers together. */
  health(): Promise<Health>;
  /** Returns the metrics of each worker that answers. */
  metrics(): Promise<readonly string[]>;
  /** Returns how many workers there should be, how many are ready, and how often one was started again. */
  counts(): { readonly wanted: number; readonly ready: number; readonly restarts: number };
  /**
   * Stops all workers and waits until they have ended. Further calls do nothing more.
   *
   * @throws WorkerFailedError if one of them had to break off a request, or could not close.
   */
  close(): Promise<void>;
}

/** Thrown if a worker ends in a way that it shouldn't. */
export class WorkerFailedError extends Error {
  override readonly name = "WorkerFailedError";
}

/** How long to wait before a worker is started again, in milliseconds. The time doubles with each failure in a row. */
const firstDelay = 250;
const longestDelay = 30_000;

/** How long a worker must have been ready so that its end counts as its first failure, in milliseconds. */
const steadyTime = 60_000;

interface Worker {
  readonly number: number;
  process: WorkerProcess | null;
  channel: Channel | null;
  /** When it became ready, by the monotonic clock. `null` if it isn't. */
  readySince: number | null;
  failures: number;
  restart: Timer | null;
}

/** Creates the supervisor of `count` workers. */
export function createSupervisor({ count, fork, log, clock, schedule }: SupervisorOptions): Supervisor {
  const workers = Array.from({ length: count }, (_, at): Worker => {
    return { number: at + 1, process: null, channel: null, readySince: null, failures: 0, restart: null };
  });
  let restarts = 0;
  let hasStarted = false;
  let closing: Promise<void> | null = null;
  let failed = 0;
  let onAllEnded = (): void => {};

  const isReady = ({ readySince }: Worker) => readySince !== null;

  /** Starts a worker. Fulfils when it is ready, and rejects if it ends before. */
  function run(worker: Worker): Promise<ReadyReport> {
    return new Promise((resolve, reject) => {
      const process = fork(worker.number);
      const channel = createChannel({ send: process.send, answers: { health }, schedule });
      Object.assign(worker, { process, channel, restart: null });
      process.onMessage((message) => {
        if (!isReadyMessage(message)) return channel.receive(message);
        worker.readySince = clock.monotonic();
        resolve(message.ready);
      });
      process.onExit((code, signal) => {
        channel.close();
        reject(new WorkerFailedError(`worker ${worker.number} ended before it was ready`));
        onExit(worker, code, signal);
      });
    });
  }

  function onExit(worker: Worker, code: number | null, signal: string | null): void {
    const { readySince } = worker;
    Object.assign(worker, { process: null, channel: null, readySince: null });
    if (closing !== null) {
      if (code !== 0) failed += 1;
      if (workers.every(({ process }) => process === null)) onAllEnded();
      return;
    }
    if (!hasStarted) return;
    if (readySince !== null && clock.monotonic() - readySince >= steadyTime) worker.failures = 0;
    const delay = Math.min(firstDelay * 2 ** worker.failures, longestDelay);
    worker.failures += 1;
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    log.notice("error", `worker ${worker.number} ended ${how}; it is started again in ${delay / 1_000} s`);
    worker.restart = schedule(() => {
      restarts += 1;
      run(worker).then(
        () => log.notice("info", `worker ${worker.number} is ready again`),
        () => {},
      );
    }, delay);
  }

  async function health(): Promise<Health> {
    const asked = workers.filter(isReady);
    const answers = await Promise.all(
      asked.map(async (worker) => {
        const { number, channel } = worker;
        const answer = (await channel?.ask("health").catch(() => null)) as Health | null;
        return { number, health: answer, hasEnded: worker.channel !== channel };
      }),
    );
    return mergeHealth(answers.filter(({ hasEnded }) => !hasEnded));
  }

  async function stopAll(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      onAllEnded = resolve;
    });
    for (const { process, restart } of workers) {
      restart?.cancel();
      process?.stop();
    }
    if (workers.some(({ process }) => process !== null)) await ended;
    if (failed > 0) throw new WorkerFailedError(`${failed} of ${count} workers failed to close`);
  }

  return Object.freeze({
    async start() {
      const [first, ...others] = workers;
      if (first === undefined) throw new RangeError("there must be a worker");
      const report = await run(first);
      await Promise.all(others.map(run));
      // One that has ended since it was ready.
      if (!workers.every(isReady)) throw new WorkerFailedError("a worker ended while the others started");
      hasStarted = true;
      return report;
    },
    health,
    async metrics() {
      const texts = await Promise.all(
        workers.filter(isReady).map(({ channel }) => channel?.ask("metrics").catch(() => null)),
      );
      return texts.filter((text): text is string => typeof text === "string");
    },
    counts: () => ({ wanted: count, ready: workers.filter(isReady).length, restarts }),
    close() {
      closing ??= stopAll();
      return closing;
    },
  });
}

function isReadyMessage(message: unknown): message is { readonly ready: ReadyReport } {
  return typeof message === "object" && message !== null && "ready" in message;
}
