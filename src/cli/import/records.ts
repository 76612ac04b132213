import { Refused } from "../refused.ts";
import { type CsvHeader, parseCsvHeader, parseCsvRecord } from "./csv.ts";
import { type RawRecord, splitRecords } from "./raw-records.ts";
import { createCsvScanner, createLineScanner, createListScanner } from "./scanners.ts";
import type { Format } from "./source.ts";

/** The fields of one record, by their names in the file. */
export type Fields = ReadonlyMap<string, unknown>;

/** One record, or why it cannot be read, or that it is one of another Django model. */
export type UserRecord = { readonly line: number } & (
  | { readonly fields: Fields }
  | { readonly fault: string }
  | { readonly otherModel: string }
);

export interface RecordOptions {
  /** Django's name of the model whose records are users, in lower case. */
  readonly model: string;
  /** The field that is the username. */
  readonly usernameField: string;
}

/** The records of a file. @throws Refused where it is a CSV file without the header that it needs. */
export function readRecords(
  bytes: AsyncIterable<Uint8Array>,
  format: Format,
  options: RecordOptions,
): AsyncGenerator<UserRecord> {
  switch (format) {
    case "json":
      return readJsonRecords(splitRecords(bytes, createListScanner()), options);
    case "jsonl":
      return readJsonRecords(splitRecords(bytes, createLineScanner()), options);
    case "csv":
      return readCsvRecords(splitRecords(bytes, createCsvScanner()), options);
  }
}

async function* readJsonRecords(
  records: AsyncIterable<RawRecord>,
  { model }: RecordOptions,
): AsyncGenerator<UserRecord> {
  for await (const record of records) {
    const { line } = record;
    yield { line, ...("fault" in record ? { fault: record.fault } : parseJsonRecord(record.text, model)) };
  }
}

function parseJsonRecord(text: string, model: string) {
  const value = parseJson(text);
  // What is wrong is not quoted, as JSON.parse would: it may be a hash.
  if (value === undefined) return { fault: "The record is not valid JSON." };
  if (!isObject(value)) return { fault: "The record is no JSON object." };
  const { model: itsModel, pk, fields } = value;
  if (typeof itsModel !== "string" || !isObject(fields)) return { fields: new Map(Object.entries(value)) };
  if (itsModel.toLowerCase() !== model) return { otherModel: itsModel };
  return { fields: new Map([...Object.entries(fields), ["id", pk]]) };
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
): AsyncGenerator<UserRecord> {
  let header: CsvHeader | null = null;
  for await (const record of records) {
    const { line } = record;
    if (header === null) header = toHeader(record, usernameField);
    else yield { line, ...("fault" in record ? { fault: record.fault } : parseRow(record, header)) };
  }
}

function toHeader(record: RawRecord, usernameField: string): CsvHeader {
  const header = "text" in record ? parseCsvHeader(record.text) : null;
  if (header === null) throw new Refused(`line ${record.line} is no header of a CSV file`);
  const { names } = header;
  if (!names.includes(usernameField)) {
    throw new Refused(
      `line ${record.line}, the header of a CSV file, names no column ${usernameField}; --username-field names another`,
    );
  }
  const twice = names.find((name, index) => name !== "" && names.indexOf(name) !== index);
  if (twice !== undefined) throw new Refused(`line ${record.line}, the header, names the column ${twice} twice`);
  return header;
}

function parseRow({ line, lastLine, text }: RawRecord & { readonly text: string }, { names, delimiter }: CsvHeader) {
  const values = parseCsvRecord(text, delimiter);
  if (values === null) {
    return { fault: `A quote is out of place${lastLine > line ? `, somewhere up to line ${lastLine}` : ""}.` };
  }
  if (values.length !== names.length) {
    const quoting =
      values.length > names.length && delimiter === "," ? "; what has a comma in it must be in quotes" : "";
    return { fault: `The record has ${values.length} fields, the header ${names.length}${quoting}.` };
  }
  return { fields: new Map(names.map((name, index) => [name, values[index]])) };
}
