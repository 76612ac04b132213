import type { Schedule } from "../core/runtime/schedule.ts";
import type { IssuerRequests } from "./issuer-requests.ts";

/** Tells the issuer what this verifier has applied, because a caller of the issuer waits for it. */
export interface Acknowledger {
  /** Acknowledges everything up to a cursor. If it fails, the issuer waits until this verifier's lease is over. */
  acknowledge(cursor: string): void;
  /** Acknowledges nothing any more. */
  stop(): void;
}

/** The options of `createAcknowledger`. */
export interface AcknowledgerOptions {
  readonly requests: Pick<IssuerRequests, "acknowledge">;
  readonly schedule: Schedule;
  /** Milliseconds for one request at most: after that the lease is over anyway. */
  readonly timeout: number;
}

/** Creates the acknowledgements of a verifier. One request at a time: the latest cursor covers those before it. */
export function createAcknowledger({ requests, schedule, timeout }: AcknowledgerOptions): Acknowledger {
  let waiting: string | null = null;
  let controller: AbortController | null = null;
  let isStopped = false;

  async function send(): Promise<void> {
    while (waiting !== null && !isStopped) {
      const cursor = waiting;
      waiting = null;
      controller = new AbortController();
      const timer = schedule(() => controller?.abort(), timeout);
      try {
        await requests.acknowledge(cursor, controller.signal);
      } catch {
        // Not repeated: the next frame brings another cursor, and nothing waits for longer than the lease.
      } finally {
        timer.cancel();
        controller = null;
      }
    }
  }

  return {
    acknowledge(cursor) {
      waiting = cursor;
      if (controller === null) void send();
    },
    stop() {
      isStopped = true;
      controller?.abort();
    },
  };
}
