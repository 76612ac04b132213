import { describe, expect, it } from "vitest";
import { toUsernameKey } from "../../src/core/username.ts";

describe("toUsernameKey", () => {
  it("folds the case of a username unless usernames are case-sensitive", () => {
    expect(toUsernameKey("Alice", false)).toBe("alice");
    expect(toUsernameKey("Alice", true)).toBe("Alice");
    expect(toUsernameKey("ÅSA", false)).toBe(toUsernameKey("åsa", false));
  });

  it("removes white space around a username and keeps it inside", () => {
    expect(toUsernameKey(" \t alice smith\n", true)).toBe("alice smith");
  });

  it("returns the same key for all spellings of the same characters (NFKC)", () => {
    const composed = "\u00e9lodie";
    const decomposed = "e\u0301lodie";
    expect(toUsernameKey(decomposed, true)).toBe(toUsernameKey(composed, true));
    expect(toUsernameKey("\uff41lice", true)).toBe("alice");
    expect(toUsernameKey("\ufb01nn", true)).toBe("finn");
  });

  it("returns different keys for letters of different scripts that look alike", () => {
    const cyrillic = "\u0430lice";
    expect(toUsernameKey(cyrillic, false)).not.toBe("alice");
  });

  it("returns the same key for a key", () => {
    for (const name of ["Alice", "\uff21lice", "e\u0301", "  Ångström  "]) {
      const key = toUsernameKey(name, false);
      expect(toUsernameKey(key, false)).toBe(key);
    }
  });
});

describe("toUsernameKey, as full case folding,", () => {
  it.each([
    ["straße", "STRASSE", "STRAẞE", "strasse"],
    ["σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"],
    ["ᾳδης", "ᾼΔΗΣ", "αιδησ"],
    ["և", "եւ", "ԵՒ"],
  ])("returns the same key for %s and its other spellings", (...spellings) => {
    expect(new Set(spellings.map((spelling) => toUsernameKey(spelling, false))).size).toBe(1);
  });

  it("keeps the dotless ı apart from i", () => {
    expect(toUsernameKey("ılık", false)).not.toBe(toUsernameKey("ilik", false));
  });

  it("returns the same key for a key, and for both cases of every letter that Unicode folds", () => {
    for (let code = 0x20; code < 0x1f000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const letter = String.fromCodePoint(code);
      const key = toUsernameKey(`a${letter}b`, false);
      if (toUsernameKey(key, false) !== key) expect.fail(`the key of U+${code.toString(16)} has another key`);
      for (const other of [letter.toLowerCase(), letter.toUpperCase()]) {
        if (letter === "ı" || other === "ı") continue;
        const otherKey = toUsernameKey(`a${other}b`, false);
        if (otherKey !== key) expect.fail(`U+${code.toString(16)} and ${other} have the keys ${key} and ${otherKey}`);
      }
    }
  });
});
