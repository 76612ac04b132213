import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJsonObject } from "../../src/crypto/strict-json.ts";
import { toCode, toRefusal } from "./forge.ts";

describe("the strict JSON parser", () => {
  it("parses every object that JSON.stringify writes, with any indentation", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 0, max: 2 }), (object, indent) => {
        const text = JSON.stringify(object, null, indent);
        expect(parseJsonObject(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses an object with a duplicate member, at any depth", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.nat({ max: 5 }), (name, value, depth) => {
        const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`;
        const twice = `${'{"a":[0,'.repeat(depth)}{${member},"${name.length}x":1,${member}}${"]}".repeat(depth)}`;
        expect(toCode(() => parseJsonObject(twice))).toBe("token_invalid");
      }),
    );
  });

  it.each([
    ["the same name in one object", '{"a":1,"a":1}'],
    ["a name that is once written with an escape", '{"a":1,"\\u0061":1}'],
    ["__proto__", '{"__proto__":{},"__proto__":{}}'],
    ["a nested object", '{"a":{"b":1,"b":2}}'],
    ["an object in a list that a later member hides", '{"a":[{"b":1}],"a":[{"b":1,"c":2}]}'],
    ["names with quotes and colons", '{"\\":":1,"\\":":1}'],
  ])("refuses duplicate members: %s", (_, text) => {
    expect(toRefusal(() => parseJsonObject(text))?.reason).toBe("text has duplicate members");
  });

  it.each([
    ["colons and quotes in strings", '{"a:\\":":"b:c\\\\","d":"\\":"}'],
    ["the same name in different objects", '{"a":{"a":[{"a":1},{"a":1}]}}'],
    ["names that are similar", '{"a":1,"A":1,"":1," ":1}'],
    ["a member called __proto__", '{"__proto__":1}'],
  ])("accepts %s", (_, text) => {
    expect(parseJsonObject(text)).toEqual(JSON.parse(text));
  });

  it.each([
    ["a list", "[]"],
    ["null", "null"],
    ["a string", '"{}"'],
    ["a number", "1"],
    ["nothing", ""],
    ["two objects", "{}{}"],
    ["a byte order mark", "\ufeff{}"],
    ["a comment", "{/**/}"],
    ["a comma too many", '{"a":1,}'],
    ["a NUL", "{}\0"],
  ])("refuses %s", (_, text) => {
    expect(toCode(() => parseJsonObject(text))).toBe("token_invalid");
  });

  it.each([
    ["any text", fc.string({ unit: "binary" })],
    ["text of the characters of JSON", fc.string({ unit: fc.constantFrom(...'{}[]":,\\u01ae\n') })],
  ])("throws no other error than AuthError for %s", (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect([undefined, "token_invalid"]).toContain(toCode(() => parseJsonObject(text)));
      }),
    );
  });

  it("parses values that are nested deeper than the stack", () => {
    const depth = 200_000;
    const text = `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(toCode(() => parseJsonObject(text))).toBeUndefined();
  });

  it("throws an error that doesn't hold the text, nor does its cause", () => {
    const refusal = toRefusal(() => parseJsonObject('{"a": plantedvalue}', "payload"));
    expect(refusal?.message).toBe("token_invalid: payload is not JSON");
    expect(refusal?.cause).toBeUndefined();
  });
});
