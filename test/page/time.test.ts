import { describe, expect, it } from "vitest";
import { toAgeText, toClockText } from "../../src/page/time.ts";

describe("time on the page", () => {
  it.each([
    [1800, "30:00"],
    [1799.2, "30:00"],
    [61, "1:01"],
    [7, "0:07"],
    [0.1, "0:01"],
    [0, "0:00"],
    [-5, "0:00"],
    [3600, "1:00:00"],
    [86_399, "23:59:59"],
  ])("formats a countdown of %d seconds as %s", (seconds, text) => {
    expect(toClockText(seconds)).toBe(text);
  });

  it.each([
    [-90, "just now"],
    [59, "just now"],
    [60, "1 minute ago"],
    [3599, "59 minutes ago"],
    [3600, "1 hour ago"],
    [86_400, "yesterday"],
    [10 * 86_400, "10 days ago"],
  ])("formats a time %d seconds ago as %s", (age, text) => {
    expect(toAgeText(1_767_225_600 - age, 1_767_225_600)).toBe(text);
  });
});
