import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { createBearerReader } from "../../../src/http/request/bearer.ts";

const read = (authorization: string, settings = {}) =>
  createBearerReader({ ...defaultSettings, ...settings })({ authorization });

describe("reading the authorization header", () => {
  it("reads the token after a configured scheme in any case, and after any spaces and tabs", () => {
    for (const header of ["Bearer a.b.c", "bearer a.b.c", "BEARER \t a.b.c", "  Bearer a.b.c  "]) {
      expect(read(header)).toBe("a.b.c");
    }
    expect(read("jwt a.b.c", { authHeaderTypes: ["Bearer", "JWT"] })).toBe("a.b.c");
  });

  it("reads no token if the header is missing or empty, or has another scheme", () => {
    expect(createBearerReader(defaultSettings)({})).toBeNull();
    for (const header of ["", "  ", "Basic YTpi", "Bearer2 a", "Bear er"]) expect(read(header)).toBeNull();
  });

  it("refuses a configured scheme that is not followed by exactly one value", () => {
    for (const header of ["Bearer", "Bearer ", "Bearer a b", "Bearer Bearer a"]) {
      expect(() => read(header)).toThrow(/bad_authorization_header/);
    }
  });

  it("keeps every other kind of white space as part of the token or of the scheme", () => {
    for (const space of ["\u00a0", "\u0085", "\u2003", "\ufeff", "\u000b", "\f"]) {
      expect(read(`Bearer a.b.c${space}`)).toBe(`a.b.c${space}`);
      expect(read(`Bearer ${space}a.b.c`)).toBe(`${space}a.b.c`);
      expect(read(`Bearer${space}a.b.c`)).toBeNull();
    }
  });

  it("reads only the header with the configured name", () => {
    const settings = { ...defaultSettings, authHeaderName: "X-Access-Token" };
    expect(createBearerReader(settings)({ authorization: "Bearer a" })).toBeNull();
    expect(createBearerReader(settings)(new Headers({ "x-access-token": "Bearer a" }))).toBe("a");
  });
});
