import { describe, expect, it } from "vitest";
import { toTable } from "../../src/cli/format.ts";
import { toTime } from "../../src/core/text.ts";

describe("toTable", () => {
  it("aligns columns without trailing spaces", () => {
    expect(
      toTable(
        ["ID", "NAME"],
        [
          ["1", "alice"],
          ["10", "bo"],
        ],
      ),
    ).toEqual(["ID  NAME", "1   alice", "10  bo"]);
  });

  it("replaces control characters, which could send commands to the terminal", () => {
    expect(toTable(["DEVICE"], [["\u001b[2Jgone\n\u009b1m"]])).toEqual(["DEVICE", "?[2Jgone??1m"]);
  });
});

describe("toTime", () => {
  it("returns ISO 8601 in UTC, to the second", () => {
    expect(toTime(1_767_225_600)).toBe("2026-01-01T00:00:00Z");
    expect(toTime(null)).toBe("never");
  });
});
