import { describe, expect, it } from "vitest";
import { toUsernameKey } from "../../src/core/username.ts";

describe("the form under which a username is found", () => {
  it("has no case, unless case counts", () => {
    expect(toUsernameKey("Alice", false)).toBe("alice");
    expect(toUsernameKey("Alice", true)).toBe("Alice");
    expect(toUsernameKey("ÅSA", false)).toBe(toUsernameKey("åsa", false));
  });

  it("has no surrounding white space, and keeps what is inside", () => {
    expect(toUsernameKey(" \t alice smith\n", true)).toBe("alice smith");
  });

  it("is the same for every spelling of the same characters (NFKC)", () => {
    const composed = "\u00e9lodie";
    const decomposed = "e\u0301lodie";
    expect(toUsernameKey(decomposed, true)).toBe(toUsernameKey(composed, true));
    expect(toUsernameKey("\uff41lice", true)).toBe("alice");
    expect(toUsernameKey("\ufb01nn", true)).toBe("finn");
  });

  it("keeps apart what only looks alike", () => {
    const cyrillic = "\u0430lice";
    expect(toUsernameKey(cyrillic, false)).not.toBe("alice");
  });

  it("is the form of its own form", () => {
    for (const name of ["Alice", "\uff21lice", "e\u0301", "  Ångström  "]) {
      const key = toUsernameKey(name, false);
      expect(toUsernameKey(key, false)).toBe(key);
    }
  });
});
