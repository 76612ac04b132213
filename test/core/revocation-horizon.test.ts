import { describe, expect, it } from "vitest";
import { revocationRetention, toRevocationEnd } from "../../src/core/revocation-horizon.ts";
import { settingRules } from "../../src/core/settings/rules.ts";

describe("toRevocationEnd", () => {
  it("is the time that the entry names, whatever the settings are", () => {
    expect(toRevocationEnd({ at: 1_000, until: 1_007 })).toBe(1_007);
  });

  it("is a day after an entry of version 0.1, the longest life that its tokens can have", () => {
    expect(toRevocationEnd({ at: 1_000 })).toBe(1_000 + settingRules.accessTokenLifetime.max);
  });
});

describe("revocationRetention", () => {
  it("is longer than any leeway and clock margin after the last token has expired", () => {
    expect(revocationRetention).toBeGreaterThan(settingRules.leeway.max + 360);
  });
});
