import type { Scanner } from "./scanners.ts";

/** The text of a record, or the reason why it can't be read. It never has both. */
export type RawRecord = {
  /** The number of the record's first line. */
  readonly line: number;
  /** The number of the record's last line. */
  readonly lastLine: number;
} & ({ readonly text: string } | { readonly fault: string });

/** The maximum length of a record, in bytes. A user takes a few hundred. */
const maxRecordLength = 65_536;

/**
 * Splits a UTF-8 file into records, and skips blank ones. Keeps at most `maxRecordLength` bytes of a record in memory.
 *
 * @param bytes the content of the file, in chunks of any size.
 * @param scanner finds the end of each record.
 */
export async function* splitRecords(bytes: AsyncIterable<Uint8Array>, scanner: Scanner): AsyncGenerator<RawRecord> {
  let line = 1;
  /** The first line of the record that isn't blank. 0 if there is no such line yet. */
  let firstLine = 0;
  let parts: Uint8Array[] = [];
  let length = 0;

  function collect(part: Uint8Array): void {
    length += part.length;
    if (length <= maxRecordLength) parts.push(part);
  }

  function* finish(fault: string | null = null): Generator<RawRecord> {
    const found = { line: firstLine || line, lastLine: line };
    if (fault !== null) yield { ...found, fault };
    else if (length > maxRecordLength) yield { ...found, fault: `The record is longer than ${maxRecordLength} bytes.` };
    else if (firstLine > 0) yield { ...found, ...decode(parts) };
    [firstLine, parts, length] = [0, [], 0];
  }

  for await (const chunk of bytes) {
    let from = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] as number;
      const kind = scanner.scan(byte);
      if (kind === "part" && firstLine === 0 && byte > 0x20) firstLine = line;
      if (kind !== "part") {
        collect(chunk.subarray(from, index));
        from = index + 1;
      }
      if (kind === "end") yield* finish();
      if (byte === 0x0a) line++;
    }
    collect(chunk.subarray(from));
  }
  yield* finish(scanner.findFaultAtEnd());
}

function decode(parts: readonly Uint8Array[]): { text: string } | { fault: string } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts)) };
  } catch {
    return { fault: "The record is not UTF-8." };
  }
}
