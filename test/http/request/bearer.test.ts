import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { createBearerReader } from "../../../src/http/request/bearer.ts";

const read = (authorization: string, settings = {}) =>
  createBearerReader({ ...defaultSettings, ...settings })({ authorization });

describe("the authorization header", () => {
  it("holds one of our schemes in any case, blanks or tabs, and one token", () => {
    for (const header of ["Bearer a.b.c", "bearer a.b.c", "BEARER \t a.b.c", "  Bearer a.b.c  "]) {
      expect(read(header)).toBe("a.b.c");
    }
    expect(read("jwt a.b.c", { authHeaderTypes: ["Bearer", "JWT"] })).toBe("a.b.c");
  });

  it("holds nothing for us where it is missing, empty or of another scheme", () => {
    expect(createBearerReader(defaultSettings)({})).toBeNull();
    for (const header of ["", "  ", "Basic YTpi", "Bearer2 a", "Bear er"]) expect(read(header)).toBeNull();
  });

  it("is refused where our scheme is not followed by exactly one value", () => {
    for (const header of ["Bearer", "Bearer ", "Bearer a b", "Bearer Bearer a"]) {
      expect(() => read(header)).toThrow(/bad_authorization_header/);
    }
  });

  it("keeps every other kind of space as part of the token, which is then no good", () => {
    for (const space of ["\u00a0", "\u0085", "\u2003", "\ufeff", "\u000b", "\f"]) {
      expect(read(`Bearer a.b.c${space}`)).toBe(`a.b.c${space}`);
      expect(read(`Bearer ${space}a.b.c`)).toBe(`${space}a.b.c`);
      expect(read(`Bearer${space}a.b.c`)).toBeNull();
    }
  });

  it("is read under the configured name alone", () => {
    const settings = { ...defaultSettings, authHeaderName: "X-Access-Token" };
    expect(createBearerReader(settings)({ authorization: "Bearer a" })).toBeNull();
    expect(createBearerReader(settings)(new Headers({ "x-access-token": "Bearer a" }))).toBe("a");
  });
});
