import { type FrameHeader, headerLength, recordLength, writeHeader } from "../revocation/readers/frame.ts";
import type { ParsedFrame } from "./frame-parser.ts";
import { createRevocationTable, type RevocationTable } from "./revocation-table.ts";

/*
 * What the server's sidecar needs to keep the revocations in a file.
 */

export { createFrameParser, type ParsedFrame } from "./frame-parser.ts";

/** The records of frames. */
export interface FeedTable extends Pick<RevocationTable, "toRecords"> {
  /**
   * Applies a frame.
   *
   * @param options.replaces whether its records are all: a full frame that is as fresh as what is known.
   */
  apply(frame: Pick<ParsedFrame, "records">, options: { readonly replaces: boolean }): void;
}

/** Creates an empty table. */
export function createFeedTable(): FeedTable {
  let table = createRevocationTable();
  return {
    apply({ records }, { replaces }) {
      const target = replaces ? createRevocationTable() : table;
      target.add(records);
      table = target;
    },
    toRecords: () => table.toRecords(),
  };
}

/**
 * Returns a full frame that isn't behind at the time when it was made.
 *
 * @param header what else the frame says.
 * @returns its header and its records.
 */
export function toFullFrame(
  table: Pick<FeedTable, "toRecords">,
  { cursor, madeAt, keyVersion }: Pick<FrameHeader, "cursor" | "madeAt" | "keyVersion">,
): readonly [Uint8Array, Uint8Array] {
  const records = table.toRecords();
  const head = new Uint8Array(headerLength);
  const count = records.length / recordLength;
  writeHeader(head, { isFull: true, isAwaited: false, count, age: 0, madeAt, keyVersion, held: 0, cursor });
  return [head, records];
}
