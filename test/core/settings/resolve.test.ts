import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { defaultSettings, type Settings } from "../../../src/core/settings/settings.ts";

type Given = Partial<Settings>;

describe("the settings", () => {
  it("are the defaults where nothing is set, and undefined sets nothing", () => {
    expect(resolveSettings({})).toEqual(defaultSettings);
    expect(resolveSettings({ leeway: undefined })).toEqual(defaultSettings);
    expect(resolveSettings({ leeway: 5 })).toEqual({ ...defaultSettings, leeway: 5 });
  });

  it.each<[given: object, message: string]>([
    [{ lewway: 1 }, "lewway: no such setting; did you mean leeway?"],
    [{ accessTokenLifetime: 0.5 }, "accessTokenLifetime: must be whole seconds from 1 to 86400"],
    [{ refreshTokenLifetime: 315_360_001 }, "refreshTokenLifetime: must be whole seconds from 1 to 315360000"],
    [{ leeway: 301 }, "leeway: must be whole seconds from 0 to 300"],
    [{ blacklistAfterRotation: false }, "blacklistAfterRotation: can only be true: a session is one row"],
  ])("are refused one by one: %j", (given, message) => {
    expect(() => resolveSettings({ ...given })).toThrow(TypeError);
    expect(() => resolveSettings({ ...given })).toThrow(message);
  });

  it.each(["/", "", "api", "/api/", "//api", "/api/../token", "/./api", "/..", "/api/.", "/api?x", "/{id}"])(
    "have no path %j",
    (path) => {
      expect(() => resolveSettings({ tokenPath: path })).toThrow(/^tokenPath: must be a path/);
      expect(() => resolveSettings({ authPath: path })).toThrow(/^authPath: must be a path/);
    },
  );

  it.each(["/api/...", "/.api", "/v1.0/a..b", "/~/a_b-c"])("have a path %j, whose dots are part of names", (path) => {
    expect(resolveSettings({ authPath: path }).authPath).toBe(path);
  });
});

/** Each is refused with a message that begins with the setting's name. */
function describeRefusals(title: string, cases: readonly (readonly [given: Given, message: string])[]): void {
  it.each(cases)(`${title}: %j`, (given, message) => {
    expect(() => resolveSettings({ ...given })).toThrow(TypeError);
    expect(() => resolveSettings({ ...given })).toThrow(message);
  });
}

describe("settings that contradict each other", () => {
  describeRefusals("lifetimes", [
    [{ refreshTokenLifetime: 60 }, "accessTokenLifetime: must not be longer than refreshTokenLifetime"],
    [{ sessionLifetime: 3_600 }, "refreshTokenLifetime: must not be longer than sessionLifetime"],
  ]);

  const [url, secret] = ["https://receiver.example/", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"];
  describeRefusals("webhooks", [
    [{ webhookUrl: url }, "webhookUrl: needs webhookSecret too"],
    [{ webhookSecret: secret }, "webhookSecret: needs webhookUrl too"],
    [{ webhookUrl: "https://receiver.example:99999/", webhookSecret: secret }, "webhookUrl: is no URL"],
  ]);

  describeRefusals("paths where one would answer for the other", [
    [{ tokenPath: "/auth", authPath: "/auth" }, "tokenPath: must not be authPath"],
    [{ tokenPath: "/api/auth/token" }, "tokenPath: must not be authPath, nor one of them lie within the other"],
    [{ authPath: "/api/token/refresh" }, "tokenPath: must not be authPath, nor one of them lie within the other"],
    [{ tokenPath: "/api/schema" }, "tokenPath: /api/schema is where something else answers"],
    [{ authPath: "/.well-known/auth" }, "authPath: /.well-known is where something else answers"],
    [{ authPath: "/healthz" }, "authPath: /healthz is where something else answers"],
  ]);

  describeRefusals("cookies of one name", [
    [{ accessCookieName: "a", refreshCookieName: "a" }, "refreshCookieName: must differ from accessCookieName"],
    [{ accessCookieName: "a", csrfCookieName: "a" }, "csrfCookieName: must differ from accessCookieName"],
    [{ refreshCookieName: "a", csrfCookieName: "a" }, "csrfCookieName: must differ from refreshCookieName"],
    [{ csrfCookieName: "a", deviceCookieName: "a" }, "deviceCookieName: must differ from the names of the other"],
    [
      { accessCookieName: "__Host-auth", refreshCookieName: "__Secure-auth", insecureCookies: true },
      "refreshCookieName: must differ from accessCookieName, without the prefix too that insecureCookies drops",
    ],
  ]);

  describeRefusals("names with a prefix whose demands the cookie does not meet", [
    [{ deviceCookieName: "__Host-device" }, 'deviceCookieName: a "__Host-" cookie needs Path=/'],
    [{ refreshCookieName: "__Host-refresh" }, 'refreshCookieName: a "__Host-" cookie needs Path=/'],
    [{ refreshCookieName: "__host-http-refresh" }, 'refreshCookieName: a "__Host-" cookie needs Path=/'],
    [{ csrfCookieName: "__Host-Http-csrf" }, 'csrfCookieName: an "Http-" cookie is hidden from scripts'],
    [{ csrfCookieName: "__Http-csrf" }, 'csrfCookieName: an "Http-" cookie is hidden from scripts'],
    [{ cookieDomain: "example.com" }, 'cookieDomain: a cookie named "__Host-Http-access" cannot have a Domain'],
    [
      { cookieDomain: "example.com", accessCookieName: "__Http-access" },
      'cookieDomain: a cookie named "__Host-csrftoken" cannot have a Domain',
    ],
    [{ cookieSameSite: "None", insecureCookies: true }, 'cookieSameSite: "None" needs secure cookies'],
  ]);

  describeRefusals("a first delay that is longer than the longest", [
    [{ loginDelay: 60, maxLoginDelay: 30 }, "loginDelay: must not be longer than maxLoginDelay"],
  ]);

  describeRefusals("headers with a meaning of their own", [
    ...[
      "Cookie",
      "content-type",
      "Host",
      "ORIGIN",
      "Idempotency-Key",
      "Accept",
      "Sec-Fetch-Site",
      "Content-Length",
    ].flatMap((name): [Given, string][] => [
      [{ authHeaderName: name }, "authHeaderName: has another meaning"],
      [{ csrfHeaderName: name }, "csrfHeaderName: has another meaning"],
    ]),
    [{ csrfHeaderName: "authorization" }, "csrfHeaderName: has another meaning"],
    [{ authHeaderName: "X-Token", csrfHeaderName: "x-token" }, "csrfHeaderName: must differ from authHeaderName"],
  ]);

  it.each<Given>([
    { accessCookieName: "__Host-auth", refreshCookieName: "__Secure-auth" },
    { cookieDomain: "example.com", accessCookieName: "__Http-access", csrfCookieName: "__Secure-csrf" },
    { tokenPath: "/api/auth-token", authPath: "/api/auth" },
    { tokenPath: "/api", authPath: "/auth" },
    { authHeaderName: "X-Access-Token", csrfHeaderName: "X-XSRF-TOKEN" },
  ])("are not seen where there are none: %j", (given) => {
    expect(resolveSettings({ ...given })).toMatchObject(given);
  });
});
