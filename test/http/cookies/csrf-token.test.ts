import { describe, expect, it } from "vitest";
import { createCsrfToken, isCsrfToken } from "../../../src/http/cookies/csrf-token.ts";

const key = new Uint8Array(32).fill(1);
const random = (size: number) => new Uint8Array(size).fill(9);
const sessionA = "019b7a5e-0000-7000-8000-00000000000a";
const sessionB = "019b7a5e-0000-7000-8000-00000000000b";

describe("a CSRF token", () => {
  it("creates a CSRF token of a random part and its HMAC, in characters that a cookie may have", () => {
    expect(createCsrfToken(key, sessionA, random)).toMatch(/^CQkJCQkJCQkJCQkJCQkJCQ\.[A-Za-z0-9_-]{43}$/);
  });

  it("creates another CSRF token each time", () => {
    let n = 0;
    const counting = (size: number) => new Uint8Array(size).fill(n++);
    expect(createCsrfToken(key, sessionA, counting)).not.toBe(createCsrfToken(key, sessionA, counting));
  });

  it("accepts a CSRF token for its own session only", () => {
    const token = createCsrfToken(key, sessionA, random);
    expect(isCsrfToken(key, token, sessionA)).toBe(true);
    expect(isCsrfToken(key, token, sessionB)).toBe(false);
    expect(isCsrfToken(key, token, null)).toBe(false);
  });

  it("accepts a CSRF token from before a login only if there is no session", () => {
    const token = createCsrfToken(key, null, random);
    expect(isCsrfToken(key, token, null)).toBe(true);
    expect(isCsrfToken(key, token, sessionA)).toBe(false);
    expect(isCsrfToken(key, token, "null")).toBe(false);
    expect(isCsrfToken(key, token, "")).toBe(false);
  });

  it("refuses a CSRF token whose border between session and random part was shifted", () => {
    const [random1 = "", mac = ""] = createCsrfToken(key, "ab", random).split(".");
    expect(isCsrfToken(key, `b${random1}.${mac}`, "a")).toBe(false);
    expect(isCsrfToken(key, `${random1.slice(1)}.${mac}`, `ab${random1[0]}`)).toBe(false);
  });

  it("refuses a CSRF token that was made with another key", () => {
    expect(isCsrfToken(new Uint8Array(32), createCsrfToken(key, sessionA, random), sessionA)).toBe(false);
  });

  it("refuses every variation of a CSRF token", () => {
    const token = createCsrfToken(key, sessionA, random);
    const [part, mac] = token.split(".");
    for (const other of [
      "",
      ".",
      part,
      `${part}.`,
      `.${mac}`,
      `${token}.`,
      `${token}=`,
      ` ${token}`,
      `${token}.x`,
      "\0",
    ]) {
      expect(isCsrfToken(key, String(other), sessionA)).toBe(false);
    }
  });
});
