import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ImportRecord, readRecords } from "../../../src/cli/import/records.ts";
import type { Format } from "../../../src/cli/import/source.ts";

const options = { model: "auth.user", usernameField: "username" };

async function* toChunks(bytes: Uint8Array, size: number) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** Reads the records of `input` in chunks of `size` bytes. @returns fields as objects, and faults. */
async function read(format: Format, input: string | Uint8Array, size = 65_536): Promise<unknown[]> {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const records: ImportRecord[] = [];
  for await (const record of readRecords(toChunks(bytes, size), format, options)) records.push(record);
  return records.map((record) => ("fields" in record ? Object.fromEntries(record.fields) : record));
}

const faultIn = (line: number, fault: string | RegExp) => ({ line, fault: expect.stringMatching(fault) });

describe("readRecords from JSON Lines", () => {
  it("reads one object per line, with any line ends, blank lines and a byte order mark", async () => {
    expect(await read("jsonl", '\ufeff{"id": 1}\r\n\r\n  \n{"id": 2}\n{"id": 3}')).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 3 },
    ]);
    expect(await read("jsonl", "\n \r\n")).toEqual([]);
  });

  it("reads the records of Django's user model, and reports those of other models", async () => {
    const lines = [
      '{"model": "Auth.User", "pk": 5, "fields": {"username": "alice", "id": 6}}',
      '{"model": "auth.group", "pk": 1, "fields": {}}',
    ];
    expect(await read("jsonl", lines.join("\n"))).toEqual([
      { id: 5, username: "alice" },
      { line: 2, otherModel: "auth.group" },
    ]);
  });

  it("refuses only the faulty records, with their line and without quoting them", async () => {
    const input = Buffer.concat([
      Buffer.from('{"hash": "secret\n[1]\n7\nnull\n{"id": 1}\n{"id": "'),
      Buffer.from([0xff, 0xc0, 0x80]),
      Buffer.from(`"}\n{"id": "${"x".repeat(65_536)}"}\n{"id": 2}\n{"id"`),
    ]);
    const records = await read("jsonl", input);
    expect(records).toEqual([
      faultIn(1, "not valid JSON"),
      faultIn(2, "not a JSON object"),
      faultIn(3, "not a JSON object"),
      faultIn(4, "not a JSON object"),
      { id: 1 },
      faultIn(6, "not UTF-8"),
      faultIn(7, "longer than 65536 bytes"),
      { id: 2 },
      faultIn(9, "not valid JSON"),
    ]);
    expect(JSON.stringify(records)).not.toContain("secret");
  });
});

describe("readRecords from a JSON array", () => {
  it("reads every element, with any line breaks", async () => {
    const list = [{ id: 1, text: '],"[{\\' }, { id: 2, more: [[], { deep: "}" }] }, { id: 3 }];
    for (const indent of [undefined, 1, "\t"])
      expect(await read("json", JSON.stringify(list, null, indent))).toEqual(list);
    expect(await read("json", "\ufeff\r\n[ ]\n")).toEqual([]);
  });

  it("returns the same records whatever the size of the chunks", async () => {
    const user = fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 2 }));
    await fc.assert(
      fc.asyncProperty(fc.array(user, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), async (users, size) => {
        const text = JSON.stringify(users, null, size % 3);
        expect(await read("json", text, size)).toEqual(await read("json", text));
        expect(await read("json", text)).toHaveLength(users.length);
      }),
      { numRuns: 100 },
    );
  });

  it("reports the first line of a faulty element, and reads the next ones", async () => {
    const input = '[\n{"id": 1},\n{"id": 2\n]},\n{"id": 3 "id": 4},\n"text", 12,\n{"id": 5}\n]';
    expect(await read("json", input)).toEqual([
      { id: 1 },
      faultIn(3, "not valid JSON"),
      faultIn(5, "not valid JSON"),
      faultIn(6, "not a JSON object"),
      faultIn(6, "not a JSON object"),
      { id: 5 },
    ]);
  });

  it("reports a truncated or missing array, and reads the elements before", async () => {
    expect(await read("json", '[{"id": 1}, {"id": 2')).toEqual([{ id: 1 }, faultIn(1, "inside its JSON array")]);
    expect(await read("json", '[{"id": 1},\n')).toEqual([{ id: 1 }, faultIn(2, "inside its JSON array")]);
    expect(await read("json", '[{"id": 1}]\n[{"id": 2}]')).toEqual([{ id: 1 }, faultIn(2, "more text after the end")]);
    expect(await read("json", '{"id": 1}')).toEqual([faultIn(1, 'must begin with "\\["')]);
    expect(await read("json", " ")).toEqual([faultIn(1, "no JSON array")]);
  });

  it("keeps little of an endless element in memory", async () => {
    async function* endless() {
      yield Buffer.from('[{"id": "');
      for (let i = 0; i < 200; i++) yield Buffer.alloc(65_536, "x");
    }
    setFlagsFromString("--expose-gc");
    const collectGarbage: () => void = runInNewContext("gc");
    const before = process.memoryUsage().arrayBuffers;
    const records = [];
    for await (const record of readRecords(endless(), "json", options)) records.push(record);
    expect(records).toEqual([faultIn(1, "inside its JSON array")]);
    const measureGrowth = () => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers - before;
    };
    // A collection may leave buffers that were allocated just before it to the next one.
    await expect.poll(measureGrowth).toBeLessThan(20 * 65_536);
  });
});

describe("readRecords from CSV", () => {
  it("reads a header and quoted fields, also over several lines", async () => {
    const input = '\ufeffID,"Username", email\r\n1,"a ""b"", c",\r\n\r\n2,"x\r\ny", é@example.org\r\n3,last,z';
    expect(await read("csv", input)).toEqual([
      { id: "1", username: 'a "b", c', email: "" },
      { id: "2", username: "x\r\ny", email: "é@example.org" },
      { id: "3", username: "last", email: "z" },
    ]);
  });

  it.each([";", "\t"])("takes %j as the delimiter, and then reads commas as text", async (delimiter) => {
    const lines = ["username,hash".replace(",", delimiter), `alice${delimiter}$argon2id$v=19$m=8,t=1,p=1$…`];
    expect(await read("csv", lines.join("\n"))).toEqual([{ username: "alice", hash: "$argon2id$v=19$m=8,t=1,p=1$…" }]);
  });

  it("refuses only the faulty rows", async () => {
    const input = Buffer.concat([
      Buffer.from(
        'id,username\n1,"a"b\n2,ok\n3,5" pipe\n4,ok\n5\n6,a,$argon2id$m=1,t=1\n7,ok\n8,"open\n9,x"y\n10,ok\n11,',
      ),
      Buffer.from([0xe9]),
      Buffer.from(`\n12,${"x".repeat(70_000)}\n13,ok\n14,"cut`),
    ]);
    expect(await read("csv", input)).toEqual([
      faultIn(2, /^A quote is misplaced\.$/),
      { id: "2", username: "ok" },
      faultIn(4, /^A quote is misplaced\.$/),
      { id: "4", username: "ok" },
      faultIn(6, /^The record has 1 fields, the header 2\.$/),
      faultIn(7, "has 4 fields, the header 2; put a field with a comma in quotes"),
      { id: "7", username: "ok" },
      faultIn(9, "misplaced, between this line and line 10"),
      { id: "10", username: "ok" },
      faultIn(12, "not UTF-8"),
      faultIn(13, "longer than 65536 bytes"),
      { id: "13", username: "ok" },
      faultIn(15, "ends inside a quoted field"),
    ]);
  });

  it("returns the same records whatever the size of the chunks", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", "é", '"', ",", "\n", "\r", ";") }).map((text) => text.trim());
    await fc.assert(
      fc.asyncProperty(fc.array(field, { minLength: 1 }), fc.integer({ min: 1, max: 9 }), async (fields, size) => {
        const rows = fields.map((text, index) => `${index},"${text.replaceAll('"', '""')}"`);
        const records = await read("csv", ["id,username", ...rows].join("\n"), size);
        expect(records).toEqual(fields.map((username, index) => ({ id: String(index), username })));
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ["id,name\n1,a", "the CSV header has no column username"],
    ["username,id,ID\na,1,1", "the CSV header has the column id twice"],
    ['id,"username\n1,a', "not a valid CSV header"],
  ])("refuses a file with the header of %j", async (input, reason) => {
    await expect(read("csv", input)).rejects.toThrow(reason);
  });
});
