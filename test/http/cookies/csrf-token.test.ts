import { describe, expect, it } from "vitest";
import { createCsrfToken, isCsrfToken } from "../../../src/http/cookies/csrf-token.ts";

const key = new Uint8Array(32).fill(1);
const random = (size: number) => new Uint8Array(size).fill(9);
const sessionA = "019b7a5e-0000-7000-8000-00000000000a";
const sessionB = "019b7a5e-0000-7000-8000-00000000000b";

describe("a CSRF token", () => {
  it("is a random part and its HMAC, fit for a cookie", () => {
    expect(createCsrfToken(key, sessionA, random)).toMatch(/^CQkJCQkJCQkJCQkJCQkJCQ\.[A-Za-z0-9_-]{43}$/);
  });

  it("is another one each time", () => {
    let n = 0;
    const counting = (size: number) => new Uint8Array(size).fill(n++);
    expect(createCsrfToken(key, sessionA, counting)).not.toBe(createCsrfToken(key, sessionA, counting));
  });

  it("serves its session and no other", () => {
    const token = createCsrfToken(key, sessionA, random);
    expect(isCsrfToken(key, token, sessionA)).toBe(true);
    expect(isCsrfToken(key, token, sessionB)).toBe(false);
    expect(isCsrfToken(key, token, null)).toBe(false);
  });

  it("from before the login serves no session", () => {
    const token = createCsrfToken(key, null, random);
    expect(isCsrfToken(key, token, null)).toBe(true);
    expect(isCsrfToken(key, token, sessionA)).toBe(false);
    expect(isCsrfToken(key, token, "null")).toBe(false);
    expect(isCsrfToken(key, token, "")).toBe(false);
  });

  it("cannot be moved to another session by shifting the border between session and random part", () => {
    const [random1 = "", mac = ""] = createCsrfToken(key, "ab", random).split(".");
    expect(isCsrfToken(key, `b${random1}.${mac}`, "a")).toBe(false);
    expect(isCsrfToken(key, `${random1.slice(1)}.${mac}`, `ab${random1[0]}`)).toBe(false);
  });

  it("cannot be made with another key", () => {
    expect(isCsrfToken(new Uint8Array(32), createCsrfToken(key, sessionA, random), sessionA)).toBe(false);
  });

  it("cannot be varied", () => {
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
