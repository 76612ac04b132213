import { AuthError } from "../../core/errors.ts";
import type { Schedule } from "../../core/runtime/schedule.ts";
import type { ReaderPosition } from "./frames.ts";
import type { PolledFrame, ReaderRequest } from "./readers.ts";

/** The polls that wait until there is something new. */
export interface Polls {
  /**
   * Adds a poll, which is answered when there is something new or `wait` milliseconds have passed.
   *
   * @throws AuthError `unavailable` if the polls are stopped.
   * @throws the signal's reason if it is aborted.
   */
  add(
    position: ReaderPosition,
    request: ReaderRequest,
    options: { readonly wait: number; readonly signal?: AbortSignal | undefined },
  ): Promise<PolledFrame>;
  /** Answers the polls whose position `isDue`. */
  answer(isDue: (position: ReaderPosition) => boolean): void;
  /** Refuses all polls that wait. */
  stop(): void;
  /** The number of polls that wait. */
  readonly size: number;
}

/** The options of `createPolls`. */
export interface PollsOptions {
  readonly schedule: Schedule;
  /** Makes the answer to a poll. */
  readonly send: (position: ReaderPosition, request: ReaderRequest) => PolledFrame;
}

interface Poll {
  readonly position: ReaderPosition;
  readonly answer: () => void;
  readonly fail: (reason: unknown) => void;
}

/** Creates an empty list of polls. */
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
