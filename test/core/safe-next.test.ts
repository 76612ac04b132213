import { describe, expect, it } from "vitest";
import { safeNext } from "../../src/core/safe-next.ts";

const origin = "https://app.example.com";

describe("safeNext", () => {
  it.each([
    ["/", "/"],
    ["/account", "/account"],
    ["/account?tab=2&next=https://x.example#devices", "/account?tab=2&next=https://x.example#devices"],
    ["/a//b", "/a//b"],
    ["/a/../b", "/b"],
    ["/a%2fb%5c", "/a%2fb%5c"],
    ["/@evil.example", "/@evil.example"],
    ["/?//evil.example", "/?//evil.example"],
    ["/über", "/%C3%BCber"],
    ["https://app.example.com", "/"],
    ["https://app.example.com:443/account?x#y", "/account?x#y"],
    ["HTTPS://APP.example.com/account", "/account"],
  ])("accepts %j as %j", (next, path) => {
    expect(safeNext(next, origin)).toBe(path);
    // What it returns stays within the origin, in the eyes of the parser that browsers use.
    expect(new URL(path, origin).origin).toBe(origin);
  });

  it.each([
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\u00a0/evil.example",
    "/\0",
    "/\u0085",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/%252fevil.example",
    "/%25255cevil.example",
    "/%2F%2Fevil.example",
    "/%09/evil.example",
    "/%0a%0D/evil.example",
    "/%2509%2fevil.example",
    "https://app.example.com//evil.example",
    "https://app.example.com/\\evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "blob:https://app.example.com/x",
    "vbscript:x",
    "mailto:a@b.example",
    "https:evil.example",
    "https:/evil.example",
    "https://evil.example",
    "https://evil.example/app.example.com",
    "https://app.example.com.evil.example",
    "https://app.example.com@evil.example",
    "https://user@app.example.com/",
    "https://:secret@app.example.com/",
    "http://app.example.com/",
    "https://app.example.com:8443/",
    "https://",
    "https://[",
    "account",
    "?tab=2",
    "#devices",
    ".",
    "",
    `/${"x".repeat(2_048)}`,
  ])("refuses %j", (next) => {
    expect(safeNext(next, origin)).toBeNull();
  });

  it.each([[undefined], [null], [7], [["/account"]], [{}]])("refuses %j, which isn't text", (next) => {
    expect(safeNext(next, origin)).toBeNull();
  });

  it("compares with the origin as browsers write it", () => {
    expect(safeNext("https://app.example.com/x", "https://APP.example.com:443")).toBe("/x");
    expect(safeNext("http://localhost:8000/x", "http://localhost:8000")).toBe("/x");
  });

  it.each(["", "app.example.com", "null", "data:x", "/"])("throws a TypeError if the origin is %j", (wrong) => {
    expect(() => safeNext("/", wrong)).toThrow(/^safeNext: origin must be an origin/);
  });
});
