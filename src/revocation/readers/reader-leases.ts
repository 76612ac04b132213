import type { Clock } from "../../core/runtime/clock.ts";
import type { Schedule, Timer } from "../../core/runtime/schedule.ts";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import { toWait } from "../registry-trust.ts";

/** A frame that a reader gets. */
export interface ReaderFrame {
  /** For how long the reader accepts tokens after it, in milliseconds. */
  readonly lease: number;
  /** When the frame was made, and when the request that it answers arrived: milliseconds on the monotonic clock. */
  readonly madeAt: number;
  readonly arrivedAt: number;
  /** The number of the last record that the reader is known to have applied. Default: 0. */
  readonly known?: number;
}

/**
 * For how long readers may accept tokens by the frames that were made for them. A reader that lacks a record may rely on a frame
 * that was made before the record came. So it may accept what the record revokes until its lease after that, or until it has
 * acknowledged the record. A reader that has gone counts until then, too. The rules are on the page docs/revocation.md.
 */
export interface ReaderLeases {
  /**
   * Notes that a frame was made. Call it in one synchronous piece with making the frame, which must have every awaited record of
   * the log.
   *
   * @param reader its name; `undefined`: it has none, so it can't acknowledge anything.
   */
  extend(reader: string | undefined, frame: ReaderFrame): void;
  /** Notes that a reader has applied every record up to a number. Does nothing for an unknown reader. */
  acknowledge(reader: string, number: number): void;
  /**
   * Waits until no reader accepts a token that the records up to a number revoke. Call it when the log has them.
   *
   * @returns `null` if that is so already.
   */
  whenKnown(number: number): Promise<void> | null;
  /** Returns whether no reader relies on a frame of this process any more. */
  areOver(): boolean;
  /** Forgets readers whose leases are over. Call it now and then. */
  sweep(): void;
}

/** What is known about a reader, or about all readers without a name that have the same lease. */
interface Reader {
  /** The number of the last record that it has acknowledged. */
  known: number;
  /** When its first frame was made, and when the last one is no longer relied on, on the monotonic clock. */
  readonly since: number;
  until: number;
  /** For how long a frame is relied on at most, in milliseconds. */
  span: number;
}

/** A wait until the readers know a record. */
interface Wait {
  readonly number: number;
  /** When the wait began: the log had the record already. */
  readonly since: number;
}

interface Waiter extends Wait {
  readonly done: () => void;
}

/** How many readers can be distinguished by name. Others can't acknowledge. */
const mostNamed = 20_000;

/** How much slower or faster one clock may run than another: a reader counts the time since the first frame by the sender's. */
const drift = 0.001;

/** Creates the leases of a process without readers. */
export function createReaderLeases({
  clock,
  schedule = unrefSchedule,
}: {
  readonly clock: Pick<Clock, "monotonic">;
  readonly schedule?: Schedule | undefined;
}): ReaderLeases {
  const readers = new Map<string, Reader>();
  /** Oldest first. A later one waits for no earlier record. */
  const waiters: Waiter[] = [];
  /** The readers that the first waiter hasn't been compared with. One that knows the record, or can't need it, stays so. */
  let others: Iterator<Reader> = readers.values();
  /** A reader that the first waiter waits for. */
  let blocker: Reader | null = null;
  let timer: Timer | undefined;

  // Frames that were made after the wait began have the record.
  const toEnd = ({ until, span }: Reader, { since }: Wait) => Math.min(until, since + span);

  const isDone = (reader: Reader, wait: Wait) =>
    reader.known >= wait.number || reader.since > wait.since || clock.monotonic() > toEnd(reader, wait);

  function findBlocker(waiter: Waiter): Reader | null {
    if (blocker !== null && !isDone(blocker, waiter)) return blocker;
    for (let next = others.next(); next.done !== true; next = others.next()) {
      if (!isDone(next.value, waiter)) return next.value;
    }
    return null;
  }

  function advance(): void {
    timer?.cancel();
    timer = undefined;
    for (let waiter = waiters[0]; waiter !== undefined; waiter = waiters[0]) {
      blocker = findBlocker(waiter);
      if (blocker !== null) {
        const left = toEnd(blocker, waiter) - clock.monotonic();
        timer = schedule(advance, Math.max(0, Math.floor(left)) + 1);
        return;
      }
      waiters.shift();
      others = readers.values();
      waiter.done();
    }
  }

  return {
    extend(reader, { lease, madeAt, arrivedAt, known = 0 }) {
      const span = toWait(lease) + Math.max(0, madeAt - arrivedAt) * drift;
      // Readers without a name are one for each second of their leases.
      const isNamed = reader !== undefined && (readers.has(`reader ${reader}`) || readers.size < mostNamed);
      const name = isNamed ? `reader ${reader}` : `lease ${Math.ceil(span / 1000)}`;
      const found = readers.get(name);
      const until = madeAt + span;
      if (found === undefined) {
        readers.set(name, { known: isNamed ? known : 0, since: madeAt, until, span });
        return;
      }
      if (isNamed) found.known = Math.max(found.known, known);
      found.until = Math.max(found.until, until);
      found.span = Math.max(found.span, span);
    },

    acknowledge(reader, number) {
      const found = readers.get(`reader ${reader}`);
      if (found === undefined || found.known >= number) return;
      found.known = number;
      if (found === blocker) advance();
    },

    whenKnown(number) {
      const wait = { number, since: clock.monotonic() };
      if (waiters.length === 0 && [...readers.values()].every((reader) => isDone(reader, wait))) return null;
      return new Promise<void>((resolve) => {
        waiters.push({ ...wait, done: resolve });
        if (waiters.length > 1) return;
        others = readers.values();
        advance();
      });
    },

    areOver: () => [...readers.values()].every(({ until }) => clock.monotonic() > until),

    sweep() {
      const now = clock.monotonic();
      for (const [name, { until }] of readers) if (now > until) readers.delete(name);
    },
  };
}
