import { expect } from "vitest";
import { CommandError } from "../../../src/cli/errors.ts";
import { type ImportRecord, readRecords } from "../../../src/cli/import/records.ts";
import { detectFormat, type Format } from "../../../src/cli/import/source.ts";
import { toFieldNames, toForeignUser } from "../../../src/cli/import/user-fields.ts";
import { mutationsOf } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

const user =
  '{"id": 7, "username": "alice", "hash": "pbkdf2_sha256$1$a$b=", "active": true, "joined": "2020-02-29T08:30Z"}';
const record =
  '{"model": "auth.user", "pk": 7, "fields": {"username": "al\\"ice", "groups": [1, 2], "is_staff": null}}';

/** Files for `users import`. */
export const userFile: FuzzTarget = {
  name: "a file of users",
  inputs: mutationsOf(
    [
      `[${record}, ${user}]`,
      `\ufeff[\r\n${record},\n${record}\n]\n`,
      `${user}\n${record}\r\n`,
      'id,username,hash,active\r\n7,"al""ice\n",$argon2id$v=19$m=8,true\n',
      "username;last_login\nalice;1582979696\n",
    ],
    ['"', "[", "]", "{", "}", ",", "\\", "\n", "\ufeff", ";", "1e400", "__proto__", '""'],
  ),
  async check(input) {
    const detected = await detectFormat(toChunks(input, 7)).catch(allowRefusal);
    for (const format of ["json", "jsonl", "csv"] as const) {
      const records = await readAll(format, input);
      if (format === "json" && detected !== null) expectAsParsed(input, records);
      for (const found of records) {
        expect(found.line).toBeGreaterThan(0);
        if (!("fields" in found)) continue;
        const result = toForeignUser(found.fields, toFieldNames(found.fields, "username"));
        expect("fault" in result || typeof result.username === "string").toBe(true);
      }
    }
  },
};

async function* toChunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function readAll(format: Format, input: string): Promise<ImportRecord[]> {
  const records: ImportRecord[] = [];
  const options = { model: "auth.user", usernameField: "username" };
  try {
    for await (const record of readRecords(toChunks(input, 5), format, options)) records.push(record);
  } catch (error) {
    allowRefusal(error);
  }
  return records;
}

/** Expects one record for each element of a JSON list, and a fault for each element that is not an object. */
function expectAsParsed(input: string, records: readonly ImportRecord[]): void {
  const list = parseList(input.replace(/^\ufeff/, ""));
  if (list === null) return;
  expect(records).toHaveLength(list.length);
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  expect(records.map((found) => !("fault" in found))).toEqual(list.map(isObject));
}

function parseList(text: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function allowRefusal(error: unknown): null {
  if (error instanceof CommandError) return null;
  throw error;
}
