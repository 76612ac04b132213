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
