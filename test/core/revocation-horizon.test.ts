import { describe, expect, it } from "vitest";
import { revocationRetention, toRevocationHorizon } from "../../src/core/revocation-horizon.ts";
import { resolveSettings } from "../../src/core/settings/resolve.ts";
import { settingRules } from "../../src/core/settings/rules.ts";

describe("revocationRetention", () => {
  it("is as long as the longest time for which any node may need a revocation", () => {
    const { accessTokenLifetime, leeway } = settingRules;
    const longest = resolveSettings({ accessTokenLifetime: accessTokenLifetime.max, leeway: leeway.max });
    expect(revocationRetention).toBe(toRevocationHorizon(longest));
    expect(() => resolveSettings({ accessTokenLifetime: longest.accessTokenLifetime + 1 })).toThrow(TypeError);
    expect(() => resolveSettings({ leeway: longest.leeway + 1 })).toThrow(TypeError);
  });

  it("keeps a revocation a minute longer than an access token and its leeway", () => {
    expect(toRevocationHorizon({ accessTokenLifetime: 1_800, leeway: 5 })).toBe(1_865);
  });
});
