/** The header of a CSV file. */
export interface CsvHeader {
  /** The delimiter: a comma, a semicolon or a tab. */
  readonly delimiter: string;
  /** The names of the columns, in their order and in lower case. */
  readonly names: readonly string[];
}

/**
 * Parses the header line, and detects its delimiter.
 *
 * @returns the header, or `null` if a quote is misplaced.
 */
export function parseCsvHeader(line: string): CsvHeader | null {
  const [delimiter] = [",", ";", "\t"].sort((one, other) => line.split(other).length - line.split(one).length);
  const names = parseCsvRecord(line, delimiter as string);
  return names === null ? null : { delimiter: delimiter as string, names: names.map((name) => name.toLowerCase()) };
}

/**
 * Parses a record.
 *
 * @returns the fields without surrounding white space, or `null` if a quote is misplaced.
 * @see https://www.rfc-editor.org/rfc/rfc4180
 */
export function parseCsvRecord(record: string, delimiter: string): readonly string[] | null {
  const text = record.replace(/\r$/, "");
  const pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${delimiter}]*))(${delimiter}|$)`, "y");
  const fields: string[] = [];
  for (;;) {
    const match = pattern.exec(text);
    if (match === null) return null;
    const [, quoted, plain = "", end] = match;
    fields.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (end === "") return fields;
  }
}
