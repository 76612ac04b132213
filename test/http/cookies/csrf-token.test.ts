import { describe, expect, it } from "vitest";
import { createCsrfToken, deriveCsrfToken, isCsrfToken } from "../../../src/http/cookies/csrf-token.ts";

const key = new Uint8Array(32).fill(1);
const random = (size: number) => new Uint8Array(size).fill(9);
const sessionA = "019b7a5e-0000-7000-8000-00000000000a";
const sessionB = "019b7a5e-0000-7000-8000-00000000000b";

describe("a CSRF token", () => {
  it("creates a CSRF token of a letter, a random part and the HMAC, in characters that a cookie may have", () => {
    expect(createCsrfToken(key, sessionA, random)).toMatch(/^sCQkJCQkJCQkJCQkJCQkJCQ\.[A-Za-z0-9_-]{43}$/);
    expect(deriveCsrfToken(key, { id: sessionA, generation: 1 })).toMatch(/^s[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/);
    expect(createCsrfToken(key, null, random)).toMatch(/^nCQkJCQkJCQkJCQkJCQkJCQ\.[A-Za-z0-9_-]{43}$/);
  });

  it("refuses a CSRF token whose letter was changed or removed", () => {
    for (const sessionId of [sessionA, null]) {
      const token = createCsrfToken(key, sessionId, random);
      for (const other of [`s${token.slice(1)}`, `n${token.slice(1)}`, token.slice(1), `S${token.slice(1)}`]) {
        expect(isCsrfToken(key, other, sessionId), other).toBe(other === token);
      }
    }
  });

  it("accepts a CSRF token of version 0.1, which has no letter, for its own session only", () => {
    // Made by version 0.1 with the same key and random bytes.
    const token = "CQkJCQkJCQkJCQkJCQkJCQ.w4nc64-bWh04gvE_s2_YR8DSlu6qN4wvCw0nn93WHM8";
    expect(isCsrfToken(key, token, sessionA)).toBe(true);
    expect(isCsrfToken(key, token, sessionB)).toBe(false);
    expect(isCsrfToken(key, token, null)).toBe(false);
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
