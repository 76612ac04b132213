import { describe, expect, it } from "vitest";
import { revocationRetention, toRevocationHorizon } from "../../src/core/revocation-horizon.ts";
import { resolveSettings } from "../../src/core/settings/resolve.ts";
import { settingRules } from "../../src/core/settings/rules.ts";

describe("the time for which a revocation is kept", () => {
  it("is as long as the longest that any node may need it", () => {
    const { accessTokenLifetime, leeway } = settingRules;
    const longest = resolveSettings({ accessTokenLifetime: accessTokenLifetime.max, leeway: leeway.max });
    expect(revocationRetention).toBe(toRevocationHorizon(longest));
    expect(() => resolveSettings({ accessTokenLifetime: longest.accessTokenLifetime + 1 })).toThrow(TypeError);
    expect(() => resolveSettings({ leeway: longest.leeway + 1 })).toThrow(TypeError);
  });

  it("outlasts an access token and its leeway by a minute", () => {
    expect(toRevocationHorizon({ accessTokenLifetime: 1_800, leeway: 5 })).toBe(1_865);
  });
});
