import { describe, expect, it } from "vitest";
import { days, hours, minutes } from "../../../src/core/settings/durations.ts";

describe("the units of durations", () => {
  it("converts minutes, hours and days to seconds", () => {
    expect([minutes(1), hours(1), days(1)]).toEqual([60, 3_600, 86_400]);
    expect(minutes(90)).toBe(hours(1.5));
    expect(days(7)).toBe(hours(7 * 24));
  });
});
