import { expect } from "vitest";
import { JsonNumber, parseJson } from "../../../src/http/request/json.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { mutationsOf } from "../mutations.ts";
import type { FuzzTarget } from "../target.ts";

const seeds = [
  '{"refresh":"a.b.c"}',
  '{"username":"alice","password":"wrong","remember":true}',
  '{"token":123456789012345678901234567890}',
  '{"scope":"all","label":null,"a":[1,2.5e3,{"b":"\\u00e9"}]}',
  "[]",
  "null",
  '"text"',
];

export const json: FuzzTarget = {
  name: "a JSON text",
  inputs: mutationsOf(seeds, ["[[[[", '{"":', '"\\ud800"', "1E5"]),
  check(text) {
    expect(parseOrNothing(text, (json) => withoutNumbers(parseJson(json)))).toEqual(parseOrNothing(text, JSON.parse));
  },
};

/** Returns the parsed value, or `null` if the text is not JSON. The engine's own parser is the oracle. */
function parseOrNothing(text: string, parse: (text: string) => unknown): { readonly value: unknown } | null {
  try {
    return { value: parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

function withoutNumbers(value: unknown): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(withoutNumbers);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withoutNumbers(member)]);
  return Object.fromEntries(members);
}

/** Creates the target for the bodies of endpoints. The test opens and closes it, because it has a database. */
export function createBodyTarget(): { readonly target: FuzzTarget; open(): Promise<void>; close(): Promise<void> } {
  let auth: TestAuth;
  let access: string;
  const paths = ["/api/token/refresh/", "/api/token/verify/", "/api/token/blacklist/", "/api/auth/password/"];
  return {
    async open() {
      auth = await createTestAuth();
      access = (await auth.logIn()).access;
    },
    close: () => auth.close(),
    target: {
      name: "a request body",
      inputs: mutationsOf(seeds, ['"refresh":', '"token":', '"current_password":', '"new_password":']),
      async check(text) {
        for (const path of paths) {
          const headers = { "Content-Type": "application/json", Authorization: `Bearer ${access}` };
          const response = await auth.send("POST", path, { headers, body: new TextEncoder().encode(text) });
          expect([400, 401, 413]).toContain(response.status);
          expect(await response.json()).toBeTypeOf("object");
          expect(auth.errors).toEqual([]);
        }
      },
    },
  };
}
