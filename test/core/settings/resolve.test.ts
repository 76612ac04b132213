import { describe, expect, it } from "vitest";
import {
  isSettingName,
  resolveSettings,
  settingNames,
  toUnknownSettingMessage,
} from "../../../src/core/settings/resolve.ts";
import { SettingError } from "../../../src/core/settings/setting-error.ts";
import { defaultSettings } from "../../../src/core/settings/settings.ts";

/** Expects a `SettingError` with exactly this message. */
function expectRefused(given: Readonly<Record<string, unknown>>, message: string): void {
  expect(() => resolveSettings(given)).toThrow(SettingError);
  expect(() => resolveSettings(given)).toThrow(new SettingError(...split(message)));
}

/** The message's first word, which names the setting, and the rest. */
function split(message: string): [setting: string, fault: string] {
  const end = message.indexOf(" ");
  return [message.slice(0, end), message.slice(end + 1)];
}

describe("resolveSettings", () => {
  it("fills in the default of every setting that is missing or undefined", () => {
    expect(resolveSettings({})).toEqual(defaultSettings);
    expect(resolveSettings({ leeway: undefined })).toEqual(defaultSettings);
    expect(resolveSettings({ leeway: 5 })).toEqual({ ...defaultSettings, leeway: 5 });
    const unset = Object.fromEntries(settingNames.map((name) => [name, undefined]));
    expect(resolveSettings(unset)).toEqual(defaultSettings);
  });

  it("freezes the resolved settings and their lists", () => {
    const settings = resolveSettings({ leeway: 5 });
    for (const frozen of [settings, settings.authHeaderTypes, settings.trustedOrigins]) {
      expect(Object.isFrozen(frozen)).toBe(true);
    }
  });

  it("refuses a faulty setting with a TypeError that names it", () => {
    try {
      resolveSettings({ leeway: 301 });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ name: "SettingError", setting: "leeway" });
    }
  });
});

describe("a faulty setting", () => {
  it.each<[given: Readonly<Record<string, unknown>>, message: string]>([
    [
      { accessTokenLifetime: "900" },
      'accessTokenLifetime must be a whole number of seconds from 1 to 86400, got "900". Example: accessTokenLifetime: minutes(30)',
    ],
    [
      { refreshTokenLifetime: 315_360_001 },
      "refreshTokenLifetime must be a whole number of seconds from 1 to 315360000, got 315360001. " +
        "Example: refreshTokenLifetime: days(30)",
    ],
    [{ leeway: null }, "leeway must be a whole number of seconds from 0 to 300, got null. Example: leeway: minutes(5)"],
    [
      { reuseInterval: 61 },
      "reuseInterval must be a whole number of seconds from 0 to 60, got 61. Example: reuseInterval: 10",
    ],
    [
      { blacklistAfterRotation: false },
      "blacklistAfterRotation must be true, because a session is one row, so no rotated token can stay valid, got false",
    ],
    [
      { authHeaderTypes: "Bearer" },
      'authHeaderTypes must be a list of authentication schemes such as "Bearer", got "Bearer". ' +
        'Example: authHeaderTypes: ["Bearer"]',
    ],
    [
      { trustedProxies: "10.0.0.0/8" },
      'trustedProxies must be a list of IP addresses, networks such as "10.0.0.0/8" or "2001:db8::/32", and "unix" for unix sockets, ' +
        'got "10.0.0.0/8". Example: trustedProxies: ["10.0.0.0/8"]',
    ],
    [{ claims: {} }, "claims must be a function, got an object"],
  ])("refuses a faulty setting with what was given and what to do: %j", expectRefused);

  it.each(["/", "", "api", "/api/", "//api", "/api/../token", "/./api", "/..", "/api/.", "/api?x", "/{id}"])(
    "refuses the path %j for the endpoints",
    (path) => {
      expect(() => resolveSettings({ tokenPath: path })).toThrow(/^tokenPath must be a path/);
      expect(() => resolveSettings({ authPath: path })).toThrow(/^authPath must be a path/);
    },
  );

  it.each(["/api/...", "/.api", "/v1.0/a..b", "/~/a_b-c"])(
    "accepts the path %j, whose dots are part of names",
    (path) => {
      expect(resolveSettings({ authPath: path }).authPath).toBe(path);
    },
  );
});

describe("an unknown setting", () => {
  it("refuses an unknown setting with the closest name, if one is close", () => {
    expectRefused({ accesTokenLifetime: 60 }, "accesTokenLifetime is not a setting. Did you mean accessTokenLifetime?");
    expectRefused({ signingkey: "" }, "signingkey is not a setting. Did you mean signingKey?");
    expectRefused({ onErorr: 1 }, "onErorr is not a setting. Did you mean onError?");
    expectRefused({ httpOnly: true }, "httpOnly is not a setting. docs/settings.md lists them all.");
  });

  it("refuses an unknown setting even if its value is undefined", () => {
    expectRefused({ leway: undefined }, "leway is not a setting. Did you mean leeway?");
  });

  it("refuses a setting whose name every object inherits", () => {
    for (const name of ["constructor", "toString", "hasOwnProperty"]) {
      expect(isSettingName(name)).toBe(false);
      expect(() => resolveSettings({ [name]: 1 })).toThrow(`${name} is not a setting.`);
    }
    expect(() => resolveSettings(JSON.parse('{"__proto__": 1}'))).toThrow("__proto__ is not a setting.");
  });

  it("suggests only names that the caller knows", () => {
    expect(toUnknownSettingMessage("prot", ["port", "host"])).toBe("prot is not a setting. Did you mean port?");
  });
});
