import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  booleanField,
  choiceField,
  parseFields,
  passwordField,
  textField,
  tokenField,
  usernameField,
} from "../../../src/http/request/fields.ts";
import { parseJson } from "../../../src/http/request/json.ts";
import { RequestError } from "../../../src/http/request/request-error.ts";

/** Returns the value of the one field `x` of a JSON object, or the messages about it. */
function read(field: z.ZodType, json: string): unknown {
  try {
    const schema: z.ZodType<{ x?: unknown }> = z.object({ x: field });
    return parseFields(schema, parseJson(json) as Record<string, unknown>).x;
  } catch (error) {
    if (error instanceof RequestError) return error.body["x"];
    throw error;
  }
}

describe("a text field", () => {
  it.each([
    ["{}", ["This field is required."]],
    ['{"x": null}', ["This field may not be null."]],
    ['{"x": ""}', ["This field may not be blank."]],
    ['{"x": " \\t\\n"}', ["This field may not be blank."]],
    ['{"x": true}', ["Not a valid string."]],
    ['{"x": ["a"]}', ["Not a valid string."]],
    ['{"x": {"a": 1}}', ["Not a valid string."]],
  ])("refuses the text field in %s", (json, messages) => {
    for (const field of [usernameField, passwordField, tokenField]) expect(read(field, json)).toEqual(messages);
  });

  it.each([
    ['{"x": 0}', "0"],
    ['{"x": -17}', "-17"],
    ['{"x": 1.50}', "1.50"],
    ['{"x": 12345678901234567890123}', "12345678901234567890123"],
  ])("reads the number in %s as its decimal text", (json, text) => {
    for (const field of [usernameField, passwordField, tokenField]) expect(read(field, json)).toBe(text);
  });

  it("trims usernames and tokens, and keeps passwords as they are", () => {
    const json = '{"x": " a b\\n"}';
    expect(read(usernameField, json)).toBe("a b");
    expect(read(tokenField, json)).toBe("a b");
    expect(read(passwordField, json)).toBe(" a b\n");
  });

  it("refuses NUL and lone surrogates in a username, and accepts them in a password", () => {
    expect(read(usernameField, '{"x": "a\\u0000b"}')).toEqual(["Null characters are not allowed."]);
    expect(read(usernameField, '{"x": "\\ud83d"}')).toEqual(["Surrogate characters are not allowed: U+D83D."]);
    expect(read(usernameField, '{"x": "\\ud83d\\ude00"}')).toBe("😀");
    expect(read(passwordField, '{"x": "a\\u0000b"}')).toBe("a\0b");
  });

  it("measures the length of a text field in characters, not in UTF-16 units", () => {
    const field = textField({ keepSpace: false, maxLength: 3 });
    expect(read(field, '{"x": " 😀😀😀 "}')).toBe("😀😀😀");
    expect(read(field, '{"x": "abcd"}')).toEqual(["Ensure this field has no more than 3 characters."]);
  });
});

describe("a boolean field", () => {
  it("uses the default for a missing boolean field and refuses a value that is not a boolean", () => {
    const field = booleanField(true);
    expect(read(field, "{}")).toBe(true);
    expect(read(field, '{"x": false}')).toBe(false);
    expect(read(field, '{"x": null}')).toEqual(["This field may not be null."]);
    for (const json of ['{"x": 1}', '{"x": "true"}', '{"x": []}']) {
      expect(read(field, json)).toEqual(["Must be a valid boolean."]);
    }
  });
});

describe("a choice field", () => {
  it("uses the default for a missing choice field and refuses a value that is not a choice", () => {
    const field = choiceField(["local", "all"], "local");
    expect(read(field, "{}")).toBe("local");
    expect(read(field, '{"x": "all"}')).toBe("all");
    expect(read(field, '{"x": null}')).toEqual(["This field may not be null."]);
    expect(read(field, '{"x": "none"}')).toEqual(['"none" is not a valid choice.']);
    expect(read(field, '{"x": 10}')).toEqual(['"10" is not a valid choice.']);
  });
});

describe("several fields", () => {
  it("reports all invalid fields at once, in the order of the schema", () => {
    const schema = z.object({ username: usernameField, password: passwordField });
    try {
      parseFields(schema, { password: "", username: null });
      expect.unreachable();
    } catch (error) {
      const body = { username: ["This field may not be null."], password: ["This field may not be blank."] };
      expect(JSON.stringify((error as RequestError).body)).toBe(JSON.stringify(body));
    }
  });
});
