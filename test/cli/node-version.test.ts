import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isNewEnough, oldestNode } from "../../src/cli/node-version.ts";

describe("the oldest version of Node", () => {
  it("is the one in the engines of package.json", () => {
    const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(engines.node).toBe(`>=${oldestNode}`);
  });

  it.each([
    ["22.13.0", true],
    ["22.20.1", true],
    ["24.0.0", true],
    ["100.1.0", true],
    ["22.12.9", false],
    ["22.2.0", false],
    ["20.20.2", false],
    ["9.99.0", false],
  ])("is compared with %s: new enough is %s", (version, expected) => {
    expect(isNewEnough(version)).toBe(expected);
  });
});
