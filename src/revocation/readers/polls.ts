import { AuthError } from "../../core/errors.ts";
import type { Schedule } from "../../core/runtime/schedule.ts";
import type { ReaderPosition } from "./frames.ts";
import type { PolledFrame, ReaderRequest } from "./readers.ts";

/** The polls that wait until there is something new. */
export interface Polls {
  /** Waits. @throws AuthError `unavailable` when they are stopped; the signal's reason. */
  add(
    position: ReaderPosition,
    request: ReaderRequest,
    options: { readonly wait: number; readonly signal?: AbortSignal | undefined },
  ): Promise<PolledFrame>;
  /** Answers those whose position `isDue`. */
  answer(isDue: (position: ReaderPosition) => boolean): void;
  /** Ends all of them. */
  stop(): void;
  /** How many wait. */
  readonly size: number;
}

/** What polls need. */
export interface PollsOptions {
  readonly schedule: Schedule;
  /** Makes the answer. */
  readonly send: (position: ReaderPosition, request: ReaderRequest) => PolledFrame;
}

interface Poll {
  readonly position: ReaderPosition;
  /** Answers it. */
  readonly answer: () => void;
  readonly fail: (reason: unknown) => void;
}

/** Creates the polls: none waits yet. */
export function createPolls({ schedule, send }: PollsOptions): Polls {
  const polls = new Set<Poll>();

  return {
    add(position, request, { wait, signal }) {
      return new Promise<PolledFrame>((resolve, reject) => {
        const leave = () => {
          timer.cancel();
          signal?.removeEventListener("abort", abort);
          return polls.delete(poll);
        };
        const poll: Poll = {
          position,
          answer: () => void (leave() && resolve(send(position, request))),
          fail: (reason) => void (leave() && reject(reason)),
        };
        const abort = () => poll.fail(signal?.reason);
        const timer = schedule(poll.answer, wait);
        polls.add(poll);
        signal?.addEventListener("abort", abort, { once: true });
      });
    },

    answer(isDue) {
      for (const poll of [...polls]) if (isDue(poll.position)) poll.answer();
    },

    stop() {
      for (const poll of [...polls]) poll.fail(new AuthError("unavailable", "the process is stopping"));
    },

    get size() {
      return polls.size;
    },
  };
}
