import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import { readRecord, recordLength } from "../revocation/readers/frame.ts";
import { createReaderLeases, type ReaderLeases } from "../revocation/readers/reader-leases.ts";
import { createRecordLog, type NewRecord, type RecordLog } from "../revocation/readers/record-log.ts";
import type { ParsedFrame } from "./frame-parser.ts";

/** What a relay has read, for its readers; and what they have acknowledged, for the issuer. */
export interface RelayLog {
  readonly log: RecordLog;
  readonly leases: ReaderLeases;
  /** Adds a frame that this verifier has applied. Call it in one synchronous piece with that. */
  append(frame: ParsedFrame): void;
  /**
   * Returns the cursor of a new request to the issuer: one that every reader has got to, because the issuer takes it for an
   * acknowledgement.
   *
   * @param last the cursor of the last frame.
   */
  toCursor(last: string): string;
}

/** The options of `createRelayLog`. */
export interface RelayLogOptions {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Called when no reader can lack anything up to a cursor, if a caller of the issuer waits for that. */
  readonly onSettled: (cursor: string) => void;
}

/** Creates the log of a relay that has read nothing. */
export function createRelayLog({ clock, schedule, onSettled }: RelayLogOptions): RelayLog {
  const log = createRecordLog({ clock });
  const leases = createReaderLeases({ clock, schedule });
  /** The cursor of the last frame before those that wait; `null` if none waits. */
  let settled: string | null = null;
  let last: string | null = null;
  let waiting = 0;

  async function settle(cursor: string, known: Promise<void>): Promise<void> {
    await known;
    waiting -= 1;
    settled = waiting === 0 ? null : cursor;
    onSettled(cursor);
  }

  return {
    log,
    leases,
    append({ header: { cursor, isAwaited }, records }) {
      log.append(toNewRecords(records, isAwaited));
      const known = isAwaited ? leases.whenKnown(log.lastAwaited) : null;
      if (known !== null) {
        if (waiting === 0) settled = last;
        waiting += 1;
        void settle(cursor, known);
      } else if (isAwaited) onSettled(cursor);
      last = cursor;
    },
    toCursor: (cursor) => settled ?? cursor,
  };
}

/**
 * Returns the records of a frame for the log, which ignores those that it has. A frame doesn't say which of its records are awaited, so
 * all of them are if one is.
 */
function* toNewRecords(records: Uint8Array, isAwaited: boolean): Generator<NewRecord> {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let at = 0; at < view.byteLength; at += recordLength) {
    yield { ...readRecord(view, at), position: null, isAwaited };
  }
}
