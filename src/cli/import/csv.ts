/** The columns of a CSV file, in order. */
export interface CsvHeader {
  readonly delimiter: string;
  /** In lower case. */
  readonly names: readonly string[];
}

/** The header that a line is: separated by commas, semicolons or tabs. `null` where a quote is out of place. */
export function parseCsvHeader(line: string): CsvHeader | null {
  const [delimiter] = [",", ";", "\t"].sort((one, other) => line.split(other).length - line.split(one).length);
  const names = parseCsvRecord(line, delimiter as string);
  return names === null ? null : { delimiter: delimiter as string, names: names.map((name) => name.toLowerCase()) };
}

/** The fields of a record (RFC 4180), without the white space around them. `null` where a quote is out of place. */
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
