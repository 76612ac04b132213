import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { SettingError } from "../../../src/core/settings/setting-error.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";

type Given = Partial<Settings>;

/** Each is refused by a `SettingError` with a message that begins like this. */
function itRefuses(title: string, cases: readonly (readonly [given: Given, message: string])[]): void {
  it.each(cases)(`refuses ${title}: %j`, (given, message) => {
    let thrown: unknown;
    try {
      resolveSettings({ ...given });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SettingError);
    expect((thrown as SettingError).message.slice(0, message.length)).toBe(message);
    expect(message.startsWith(`${(thrown as SettingError).setting} `)).toBe(true);
  });
}

describe("the check for contradictions", () => {
  itRefuses("an inner lifetime that is longer than the outer one", [
    [
      { refreshTokenLifetime: 60 },
      "accessTokenLifetime must not be longer than refreshTokenLifetime, got 1800 and 60 seconds. Change one of them.",
    ],
    [{ sessionLifetime: 3_600 }, "refreshTokenLifetime must not be longer than sessionLifetime, got 2592000 and 3600"],
    [{ loginDelay: 60, maxLoginDelay: 30 }, "loginDelay must not be longer than maxLoginDelay, got 60 and 30 seconds."],
  ]);

  itRefuses("a wildcard below which other people can have hosts", [
    [
      { trustedOrigins: ["https://*.github.io"] },
      'trustedOrigins must not contain "https://*.github.io": other people can have hosts below github.io. List your',
    ],
    [
      { trustedOrigins: ["https://app.example.com", "https://*.co.uk:8443"] },
      'trustedOrigins must not contain "https://*.co.uk:8443": other people can have hosts below co.uk.',
    ],
  ]);

  itRefuses("verifyCredentials without findUser", [
    [{ verifyCredentials: async () => null }, "verifyCredentials needs findUser too"],
  ]);

  itRefuses("verifySecondFactor without afterPassword", [
    [{ verifySecondFactor: () => null }, "verifySecondFactor needs afterPassword too"],
  ]);

  const [url, secret] = ["https://receiver.example/", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"];
  itRefuses("half a webhook", [
    [{ webhookUrl: url }, "webhookUrl needs webhookSecret too. Create one with: openssl rand -base64 32"],
    [{ webhookSecret: secret }, "webhookSecret needs webhookUrl too."],
    [{ webhookUrl: "https://receiver.example:99999/", webhookSecret: secret }, "webhookUrl must be a URL."],
  ]);

  itRefuses("a path that hides other endpoints", [
    [{ tokenPath: "/auth", authPath: "/auth" }, "tokenPath must not contain authPath or lie in it"],
    [{ tokenPath: "/api/auth/token" }, 'tokenPath must not contain authPath or lie in it, got "/api/auth/token" and'],
    [{ authPath: "/api/token/refresh" }, "tokenPath must not contain authPath or lie in it"],
    [{ tokenPath: "/api/schema" }, "tokenPath must not lie in /api/schema, which has other endpoints"],
    [{ authPath: "/.well-known/auth" }, "authPath must not lie in /.well-known, which has other endpoints"],
    [{ authPath: "/healthz" }, "authPath must not lie in /healthz, which has other endpoints"],
  ]);

  itRefuses("two cookies with one name", [
    [{ accessCookieName: "a", refreshCookieName: "a" }, 'refreshCookieName must differ from accessCookieName, got "a"'],
    [{ accessCookieName: "a", csrfCookieName: "a" }, "csrfCookieName must differ from accessCookieName"],
    [{ refreshCookieName: "a", csrfCookieName: "a" }, "csrfCookieName must differ from refreshCookieName"],
    [{ accessCookieName: "a", deviceCookieName: "a" }, "deviceCookieName must differ from accessCookieName"],
    [{ refreshCookieName: "a", deviceCookieName: "a" }, "deviceCookieName must differ from refreshCookieName"],
    [{ csrfCookieName: "a", deviceCookieName: "a" }, "deviceCookieName must differ from csrfCookieName"],
    [
      { accessCookieName: "__Host-auth", refreshCookieName: "__Secure-auth", insecureCookies: true },
      'refreshCookieName must differ from accessCookieName, got "auth" for both, because insecureCookies drops the prefixes.',
    ],
  ]);

  itRefuses("a cookie that breaks the rules of its prefix", [
    [{ deviceCookieName: "__Host-device" }, 'deviceCookieName must not start with "__Host-", which needs Path=/'],
    [{ refreshCookieName: "__Host-refresh" }, 'refreshCookieName must not start with "__Host-", which needs Path=/'],
    [{ refreshCookieName: "__host-http-refresh" }, 'refreshCookieName must not start with "__Host-"'],
    [{ csrfCookieName: "__Host-Http-csrf" }, 'csrfCookieName must not have the prefix "Http-", which hides a cookie'],
    [{ csrfCookieName: "__Http-csrf" }, 'csrfCookieName must not have the prefix "Http-", which hides a cookie'],
    [{ cookieDomain: "example.com" }, 'cookieDomain needs another name for the cookie "__Host-Http-access"'],
    [
      { cookieDomain: "example.com", accessCookieName: "__Http-access" },
      'cookieDomain needs another name for the cookie "__Host-csrftoken"',
    ],
    [{ cookieSameSite: "None", insecureCookies: true }, 'cookieSameSite must not be "None" with insecureCookies.'],
  ]);

  const taken = ["Cookie", "content-type", "Host", "ORIGIN", "Idempotency-Key", "Accept", "Sec-Fetch-Site"];
  itRefuses("a header with another meaning", [
    ...[...taken, "Content-Length"].flatMap((name): [Given, string][] => [
      [{ authHeaderName: name }, `authHeaderName must not be "${name}", which has another meaning. Example: `],
      [{ csrfHeaderName: name }, `csrfHeaderName must not be "${name}", which has another meaning. Example: `],
    ]),
    [{ csrfHeaderName: "authorization" }, 'csrfHeaderName must not be "authorization", which has another meaning.'],
    [{ authHeaderName: "X-Token", csrfHeaderName: "x-token" }, "csrfHeaderName must differ from authHeaderName"],
  ]);

  itRefuses("a password hash that costs too much to verify, or too little to compute", [
    [
      { passwordMemoryCost: 262_144, passwordTimeCost: 5 },
      "passwordTimeCost times passwordMemoryCost must be at most 1 GiB, got 5 times 262144 KiB.",
    ],
    [
      { passwordMemoryCost: 127, passwordParallelism: 16 },
      "passwordMemoryCost must be at least 8 KiB for each thread, got 127 for 16.",
    ],
  ]);

  it("accepts the most expensive password hash that it would verify", () => {
    expect(resolveSettings({ passwordMemoryCost: 262_144, passwordTimeCost: 4 }).passwordTimeCost).toBe(4);
  });

  it("refuses two peppers with one id, and shows no key", () => {
    const key = "0123456789abcdef";
    const twice = { passwordPeppers: [`2026:${key}`, `2025:${key}`, `2026:fedcba9876543210`] };
    expect(() => resolveSettings(twice)).toThrow(
      /^passwordPeppers must have different ids\. Give the new pepper its own id\.$/,
    );
  });

  it("refuses two key encryption keys with one id, and shows no key", () => {
    const key = Buffer.alloc(32, 0x5a).toString("base64url");
    const fault = /^keyEncryptionKey must have different ids\. Give the new key its own id\.$/;
    expect(() => resolveSettings({ keyEncryptionKey: `new:${key},old:${key},new:${key}` })).toThrow(fault);
  });

  itRefuses("the profile of RFC 9068 without what it demands", [
    [{ accessTokenProfile: "rfc9068", audience: "api" }, 'accessTokenProfile must not be "rfc9068" without issuer.'],
    [
      { accessTokenProfile: "rfc9068", issuer: "https://id" },
      'accessTokenProfile must not be "rfc9068" without audience.',
    ],
    [
      { accessTokenProfile: "rfc9068", issuer: "https://id", audience: "api", jtiClaim: "id" },
      'jtiClaim must be "jti" with accessTokenProfile "rfc9068".',
    ],
  ]);

  it.each<Given>([
    { accessTokenProfile: "rfc9068", issuer: "https://id", audience: "api" },
    { accessCookieName: "__Host-auth", refreshCookieName: "__Secure-auth" },
    { cookieDomain: "example.com", accessCookieName: "__Http-access", csrfCookieName: "__Secure-csrf" },
    { tokenPath: "/api/auth-token", authPath: "/api/auth" },
    { tokenPath: "/api", authPath: "/auth" },
    { authHeaderName: "X-Access-Token", csrfHeaderName: "X-XSRF-TOKEN" },
  ])("accepts settings that only look like a contradiction: %j", (given) => {
    expect(resolveSettings({ ...given })).toMatchObject(given);
  });
});
