import { describe, expect, it } from "vitest";
import { longestAmr, maxActorLength, toActor, toAmr, toAmrText } from "../../src/core/authentication.ts";

describe("toAmrText", () => {
  it("returns the values with spaces between them, each once", () => {
    expect(toAmrText(["pwd", "otp", "pwd", "x.509-v_3"], "issue")).toBe("pwd otp x.509-v_3");
  });

  it("returns the longest list that is allowed", () => {
    const values = Array.from({ length: longestAmr.length }, (_, i) => `${i}`.repeat(longestAmr[0]?.length ?? 0));
    expect(toAmr(toAmrText(values, "issue"))).toEqual(values);
  });

  const wrong: readonly unknown[] = [
    [],
    "pwd",
    undefined,
    [""],
    ["a b"],
    [7],
    ["pwd\0"],
    ["ü"],
    ["x".repeat(13)],
    ["a", "b", "c", "d", "e", "f", "g", "h", "i"],
  ];
  it.each(wrong.map((value) => [value]))("refuses %j", (value) => {
    expect(() => toAmrText(value as string[], "issue")).toThrow(/^issue: .*amr .*Example: amr: \["otp"\]$/);
  });
});

describe("toAmr", () => {
  it("returns the values of the stored text, and none for an unknown one", () => {
    expect(toAmr("pwd otp")).toEqual(["pwd", "otp"]);
    expect(toAmr(null)).toEqual([]);
  });
});

describe("toActor", () => {
  it.each(["bob", "support/bob", "bob@example.com", "x".repeat(maxActorLength)])("returns %s", (actor) => {
    expect(toActor(actor, "issue")).toBe(actor);
    expect(JSON.stringify(actor)).toHaveLength(actor.length + 2);
  });

  it.each(["", " ", "a b", 'a"b', "a\\b", "a\nb", "ü", "x".repeat(maxActorLength + 1), 7, null])(
    "refuses %j",
    (actor) => {
      expect(() => toActor(actor as string, "issue")).toThrow(
        /^issue: actor must be .*Example: actor: "support\/bob"$/,
      );
    },
  );
});
