import { describe, expect, it } from "vitest";
import { days, minutes } from "../../../src/core/settings/durations.ts";
import {
  isSettingName,
  resolveSettings,
  settingNames,
  toUnknownSettingMessage,
} from "../../../src/core/settings/resolve.ts";
import { defaultSettings } from "../../../src/core/settings/settings.ts";

describe("the default settings", () => {
  it("are those that the contract and the design name", () => {
    expect(resolveSettings({})).toMatchObject({
      accessTokenLifetime: minutes(30),
      refreshTokenLifetime: days(30),
      rotateRefreshTokens: true,
      blacklistAfterRotation: true,
      algorithm: "HS256",
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

  it("are one for every rule, and every rule has one", () => {
    expect([...settingNames].sort()).toEqual(Object.keys(defaultSettings).sort());
  });

  it("stand wherever undefined is given, so that an optional value may be passed on", () => {
    const unset = Object.fromEntries(settingNames.map((name) => [name, undefined]));
    expect(resolveSettings(unset)).toEqual(defaultSettings);
  });

  it("cannot be changed, nor can what they resolve to", () => {
    const settings = resolveSettings({ leeway: 5 });
    for (const frozen of [defaultSettings, settings, settings.authHeaderTypes, settings.trustedOrigins]) {
      expect(Object.isFrozen(frozen)).toBe(true);
    }
  });
});

describe("an unknown setting", () => {
  it("is refused, and the nearest name suggested where one is near", () => {
    const suggestion = "accesTokenLifetime: no such setting; did you mean accessTokenLifetime?";
    expect(() => resolveSettings({ accesTokenLifetime: 60 })).toThrow(new TypeError(suggestion));
    expect(() => resolveSettings({ secure: true })).toThrow(new TypeError("secure: no such setting"));
  });

  it("is refused even where it is undefined, since somebody meant something by it", () => {
    const suggestion = "leway: no such setting; did you mean leeway?";
    expect(() => resolveSettings({ leway: undefined })).toThrow(new TypeError(suggestion));
  });

  it("is every name that an object has by nature", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty"]) {
      expect(isSettingName(name)).toBe(false);
      expect(() => resolveSettings({ [name]: 1 })).toThrow(`${name}: no such setting`);
    }
    expect(() => resolveSettings(JSON.parse('{"__proto__": 1}'))).toThrow("__proto__: no such setting");
  });

  it("is compared with whatever names the caller knows", () => {
    expect(toUnknownSettingMessage("prot", ["port", "host"])).toBe("prot: no such setting; did you mean port?");
  });
});
