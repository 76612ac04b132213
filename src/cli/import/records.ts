import { CommandError } from "../errors.ts";
import { type CsvHeader, parseCsvHeader, parseCsvRecord } from "./csv.ts";
import type { Fields } from "./fields.ts";
import { type RawRecord, splitRecords } from "./raw-records.ts";
import { isJoined, type TokenRecord, tokenModels } from "./revoked-tokens.ts";
import { createArrayScanner, createCsvScanner, createLineScanner } from "./scanners.ts";
import type { Format } from "./source.ts";

/**
 * The content of a record: the fields of a user, a record about a token of simplejwt, or the reason why it can't be read.
 * If it belongs to another Django model, the name of that model.
 */
export type ImportRecord = {
  /** The number of the record's first line. */
  readonly line: number;
} & (
  | { readonly fields: Fields }
  | { readonly token: TokenRecord }
  | { readonly fault: string }
  | { readonly otherModel: string }
);

/** The options of `readRecords`. */
export interface RecordOptions {
  /** The name of Django's user model, in lower case. */
  readonly model: string;
  /** The name of the field that contains the username. */
  readonly usernameField: string;
}

/**
 * Reads the records of a file, one at a time.
 *
 * @throws CommandError if the header of a CSV file can't be used.
 */
export function readRecords(
  bytes: AsyncIterable<Uint8Array>,
  format: Format,
  options: RecordOptions,
): AsyncGenerator<ImportRecord> {
  switch (format) {
    case "json":
      return readJsonRecords(splitRecords(bytes, createArrayScanner()), options);
    case "jsonl":
      return readJsonRecords(splitRecords(bytes, createLineScanner()), options);
    case "csv":
      return readCsvRecords(splitRecords(bytes, createCsvScanner()), options);
  }
}

async function* readJsonRecords(
  records: AsyncIterable<RawRecord>,
  options: RecordOptions,
): AsyncGenerator<ImportRecord> {
  for await (const record of records) {
    const { line } = record;
    yield { line, ...("fault" in record ? { fault: record.fault } : parseJsonRecord(record.text, options)) };
  }
}

function parseJsonRecord(text: string, { model, usernameField }: RecordOptions) {
  const value = parseJson(text);
  // The message of JSON.parse would quote the record, which may hold a hash.
  if (value === undefined) return { fault: "The record is not valid JSON." };
  if (!isObject(value)) return { fault: "The record is not a JSON object." };
  const { model: itsModel, pk, fields } = value;
  if (typeof itsModel !== "string" || !isObject(fields)) {
    const own = new Map(Object.entries(value));
    return !own.has(usernameField) && isJoined(own)
      ? { token: { kind: "both", fields: own } as const }
      : { fields: own };
  }
  const all = new Map([...Object.entries(fields), ["id", pk]]);
  const kind = tokenModels.get(itsModel.toLowerCase());
  if (kind !== undefined) return { token: { kind, fields: all } };
  return itsModel.toLowerCase() === model ? { fields: all } : { otherModel: itsModel };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function* readCsvRecords(
  records: AsyncIterable<RawRecord>,
  { usernameField }: RecordOptions,
): AsyncGenerator<ImportRecord> {
  let header: CsvHeader | null = null;
  let isOfTokens = false;
  for await (const record of records) {
    const { line } = record;
    if (header === null) {
      header = toHeader(record, usernameField);
      isOfTokens = !header.names.includes(usernameField);
      continue;
    }
    const row = "fault" in record ? { fault: record.fault } : parseRow(record, header);
    yield { line, ...(isOfTokens && "fields" in row ? { token: { kind: "both", fields: row.fields } } : row) };
  }
}

function toHeader(record: RawRecord, usernameField: string): CsvHeader {
  const header = "text" in record ? parseCsvHeader(record.text) : null;
  if (header === null) throw new CommandError(`line ${record.line} is not a valid CSV header; check its quotes`);
  const { names } = header;
  if (!names.includes(usernameField) && !isJoined(new Set(names))) {
    throw new CommandError(
      names.includes("jti")
        ? `line ${record.line}: a CSV file of revoked tokens needs the columns jti, expires_at and blacklisted_at`
        : `line ${record.line}: the CSV header has no column ${usernameField}; name another one with --username-field`,
    );
  }
  const twice = names.find((name, index) => name !== "" && names.indexOf(name) !== index);
  if (twice !== undefined) throw new CommandError(`line ${record.line}: the CSV header has the column ${twice} twice`);
  return header;
}

function parseRow(
  { line, lastLine, text }: RawRecord & { readonly text: string },
  { names, delimiter }: CsvHeader,
): { readonly fields: Fields } | { readonly fault: string } {
  const values = parseCsvRecord(text, delimiter);
  if (values === null) {
    return { fault: `A quote is misplaced${lastLine > line ? `, between this line and line ${lastLine}` : ""}.` };
  }
  if (values.length !== names.length) {
    const hint = values.length > names.length && delimiter === "," ? "; put a field with a comma in quotes" : "";
    return { fault: `The record has ${values.length} fields, the header ${names.length}${hint}.` };
  }
  return { fields: new Map(names.map((name, index) => [name, values[index]])) };
}
