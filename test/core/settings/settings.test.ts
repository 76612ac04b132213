import { describe, expect, it } from "vitest";
import { days, minutes } from "../../../src/core/settings/durations.ts";
import { settingNames } from "../../../src/core/settings/resolve.ts";
import { defaultSettings } from "../../../src/core/settings/settings.ts";

describe("the default settings", () => {
  it("gives settings the defaults that the contract and the design promise", () => {
    expect(defaultSettings).toMatchObject({
      accessTokenLifetime: minutes(30),
      refreshTokenLifetime: days(30),
      rotateRefreshTokens: true,
      blacklistAfterRotation: true,
      algorithm: undefined,
      leeway: 0,
      authHeaderTypes: ["Bearer"],
      authHeaderName: "Authorization",
      userIdClaim: "user_id",
      tokenTypeClaim: "token_type",
      jtiClaim: "jti",
      checkUserIsActive: false,
      reuseInterval: 10,
      maxStaleness: 10,
      tokenPath: "/api/token",
      authPath: "/api/auth",
      accessCookieName: "__Host-Http-access",
      refreshCookieName: "__Secure-refresh",
      csrfCookieName: "__Host-csrftoken",
      csrfHeaderName: "X-CSRFToken",
      cookieSameSite: "Lax",
      insecureCookies: false,
      usernameCaseSensitive: false,
    });
  });

  it("has a rule for every setting and a setting for every rule", () => {
    expect([...settingNames].sort()).toEqual(Object.keys(defaultSettings).sort());
  });

  it("freezes the default settings and their lists", () => {
    const { authHeaderTypes, trustedOrigins, trustedProxies, passwordPeppers } = defaultSettings;
    for (const frozen of [defaultSettings, authHeaderTypes, trustedOrigins, trustedProxies, passwordPeppers]) {
      expect(Object.isFrozen(frozen)).toBe(true);
    }
  });
});
