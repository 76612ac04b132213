import { describe, expect, it } from "vitest";
import { findSettingFault } from "../../../src/core/settings/faults.ts";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { settingRules } from "../../../src/core/settings/rules.ts";

type Name = keyof typeof settingRules;

const faultOf = (name: Name, value: unknown) => findSettingFault(settingRules[name], value);

/** Each of the values breaks the rule. The message says so and shows something of the value. */
function expectFaults(name: Name, fault: string, values: readonly unknown[]): void {
  for (const value of values) {
    expect(faultOf(name, value)?.split(", got "), String(value)).toEqual([fault, expect.stringMatching(/./)]);
  }
}

/** Each of the values breaks the rule. The message says so and shows nothing of the value. */
function expectSecretFaults(name: Name, fault: string, values: readonly unknown[]): void {
  for (const value of values) expect(faultOf(name, value), String(value)).toBe(fault);
}

function expectFine(name: Name, values: readonly unknown[]): void {
  for (const value of values) expect(faultOf(name, value), String(value)).toBeNull();
}

describe("the rule of a duration", () => {
  it("accepts whole seconds within its bounds, both included", () => {
    expectFine("reuseInterval", [0, 10, 60]);
    expectFine("accessTokenLifetime", [1, 86_400]);
  });

  it("refuses fractions, texts, negative numbers and infinity as a duration", () => {
    const fault = "must be a whole number of seconds from 0 to 60";
    expectFaults("reuseInterval", fault, [-1, 61, 0.5, "10", null, true, Number.NaN, Infinity, 10n, [10]]);
    expectFaults("accessTokenLifetime", "must be a whole number of seconds from 1 to 86400", [0, 86_401]);
  });
});

describe("the rule of a switch", () => {
  it("accepts only true and false as a switch", () => {
    expectFine("loadUser", [true, false]);
    expectFaults("loadUser", "must be true or false", ["true", 1, 0, null, ""]);
  });

  it("accepts blacklistAfterRotation: true, which users of simplejwt have", () => {
    expectFine("blacklistAfterRotation", [true]);
  });

  it("refuses blacklistAfterRotation: false, and says why", () => {
    const fault = "must be true, because a session is one row, so no rotated token can stay valid";
    expectFaults("blacklistAfterRotation", fault, [false, 1, "true", null]);
  });
});

describe("the rule of a choice", () => {
  it("accepts one of the values of a choice, in exactly their letters", () => {
    expectFine("rotateRefreshTokens", [true, false, "observe"]);
    expectFaults("rotateRefreshTokens", 'must be one of true, false, "observe"', [
      "Observe",
      "true",
      null,
      ["observe"],
    ]);
    expectFaults("cookieSameSite", 'must be one of "Strict", "Lax", "None"', ["lax", false]);
  });
});

describe("the rules of keys", () => {
  const key = Buffer.alloc(32, 0x5a).toString("base64url");

  it("accept every algorithm that a signing key can have, and no other", () => {
    const names = ["HS256", "HS384", "HS512", "ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512"];
    expectFine("algorithm", [...names, "PS256", "PS384", "PS512"]);
    for (const value of ["hs256", "none", "Ed25519", "ES256K", null, 256, ["HS256"]]) {
      expect(faultOf("algorithm", value), String(value)).toMatch(/^must be one of "HS256", .*"PS512", got /);
    }
  });

  it("accept a key encryption key of 32 bytes, or a list of them, and never show one", () => {
    expectFine("keyEncryptionKey", [key, `2026:${key}`, `2026:${key},2025:${key}`, `${key},old.1:${key}`]);
    for (const value of [key.slice(1), `${key}A`, `${key}=`, `a b:${key}`, `${key},`, `:${key}`, "", null, 7]) {
      const fault = faultOf("keyEncryptionKey", value);
      expect(fault, String(value)).toMatch(/^must be 32 random bytes in base64url/);
      expect(fault).not.toContain("Wlpa");
    }
  });

  it("accept a client id that RFC 6749 allows", () => {
    expectFine("clientId", ["tokenpair", "https://app.example/"]);
    expectFaults("clientId", "must be printable ASCII characters without spaces", ["", "a b", "é", null, 1]);
  });
});

describe("the rule of a count", () => {
  it("accepts whole numbers within the bounds of a count", () => {
    expectFine("passwordMemoryCost", [8, 19_456, 262_144]);
    const fault = "must be a whole number of KiB from 8 to 262144";
    expectFaults("passwordMemoryCost", fault, [7, 262_145, 64.5, "64", null]);
    expectFine("passwordQueueLimit", [0, 10_000]);
    expectFaults("passwordHashConcurrency", "must be a whole number of hashes from 1 to 256", [0, -1, Infinity]);
  });

  it("refuses more failures on one account than NIST allows", () => {
    expectFine("maxLoginFailures", [0, 1, 100]);
    const fault = "must be a whole number of failures from 0 to 100";
    expectFaults("maxLoginFailures", fault, [101, -1, 1.5, "5", Infinity, null]);
  });
});

describe("the rule of a text", () => {
  it("accepts header names, claim names and other texts in their form", () => {
    expectFine("authHeaderName", ["Authorization", "X-Access-Token"]);
    const faulty = ["", "X Token", "X:", "X\r\nSet-Cookie", 1, null, ["X"]];
    expectFaults("authHeaderName", "must be an HTTP header name", faulty);
    expectFine("userIdClaim", ["user_id", "sub", "https://example.com/id"]);
    expectFaults("userIdClaim", "must be a claim name without spaces", ["", "user id", "a\n"]);
    expectFine("issuer", ["https://auth.example"]);
    expectFaults("issuer", "must be a text that is not empty", ["", null, 1]);
  });

  it("refuses a cookie name with a character that would end it", () => {
    expectFine("accessCookieName", ["__Host-Http-access", "a"]);
    expectFaults("accessCookieName", "must be a cookie name", ["", "a=b", "a;b", "a b", 'a"', "ä"]);
  });

  it("accepts paths that start with a slash, end without one, and have plain segments", () => {
    expectFine("authPath", ["/auth", "/api/v1.0/auth", "/~me/auth-2"]);
    for (const path of ["", "/", "auth", "/auth/", "//auth", "/a//b", "/a b", "/{id}", "/a?b", "/a;b", "/ä", "/a/:b"]) {
      expect(faultOf("authPath", path), path).toMatch(/^must be a path such as "\/api\/auth": a slash first/);
    }
  });

  it("accepts cookie domains with a dot, and without a scheme or port", () => {
    expectFine("cookieDomain", ["example.com", "a.b.example.co.uk"]);
    const others = ["localhost", ".example.com", "https://example.com", "example.com:443", "example.com; Path=/", ""];
    expectFaults("cookieDomain", 'must be a domain such as "example.com"', others);
  });
});

describe("the rule of a list", () => {
  it("refuses an empty list of authentication schemes", () => {
    expectFine("authHeaderTypes", [["Bearer"], ["Bearer", "JWT"]]);
    const fault = 'must be a list of authentication schemes such as "Bearer"';
    expectFaults("authHeaderTypes", fault, [[], "Bearer", ["Bearer", ""], ["a b"], [1], null, new Set(["Bearer"])]);
  });

  it("accepts origins only as a browser sends them", () => {
    const origins = ["https://app.example.com", "http://localhost:5173", "https://[::1]:8443", "https://a.b:8080"];
    expectFine("trustedOrigins", [[], origins]);
    const apps = ["capacitor://localhost", "exp://192.168.1.2:8081", "safari-web-extension://0A-B", "app://-"];
    expectFine("trustedOrigins", [apps, ["https://*.example.com", "https://*.a.example.com:8443"]]);
    for (const origin of [
      "*",
      "null",
      "app.example.com",
      "https://App.example.com",
      "https://app.example.com/",
      "https://app.example.com/path",
      "https://app.example.com:443",
      "http://app.example.com:80",
      "https://*",
      "https://*.com",
      "https://*.example.com:443",
      "https://*.127.0.0.1",
      "https://*example.com",
      "https://a.*.example.com",
      "http://*.example.com",
      "capacitor://*",
      "capacitor://",
      "capacitor:localhost",
      "chrome-extension://abc/",
      "file://localhost",
      "javascript://localhost",
      "ws://localhost",
      "ftp://app.example.com",
      " https://app.example.com",
    ]) {
      const fault =
        'must be a list of origins such as "https://app.example.com", "https://*.example.com" or "capacitor://localhost" ' +
        "(lower case, no path, no default port)";
      expect(faultOf("trustedOrigins", [origin])).toBe(`${fault}, got ${JSON.stringify(origin)}`);
    }
  });

  it("accepts IP addresses and networks as trusted proxies", () => {
    expectFine("trustedProxies", [[], ["127.0.0.1", "::1", "10.0.0.0/8", "2001:db8::/32", "unix"]]);
    const fault =
      'must be a list of IP addresses, networks such as "10.0.0.0/8" or "2001:db8::/32", and "unix" for unix sockets';
    expectFaults("trustedProxies", fault, ["10.0.0.0/8", ["loopback"], ["10.0.0.1/8"], [true], ["*"], null]);
  });

  it("accepts peppers only with an id and a long key, and never shows one that it refuses", () => {
    const key = "0123456789abcdef";
    expectFine("passwordPeppers", [[], [`2026:${key}`], [`a:${key}:/+=$`, `B_-1:${"k".repeat(500)}`]]);
    const texts = [key, `:${key}`, `2026:${key.slice(1)}`, `2026-2027:${key}`, `a b:${key}`, `a:${key},`, `a:${key} k`];
    const fault =
      'must be a list of peppers as "id:key": at most 8 letters, digits, - or _, a colon, at least 16 characters without ' +
      "space or comma";
    expectSecretFaults("passwordPeppers", fault, [`2026:${key}`, ...texts.map((text) => [text])]);
  });
});

describe("the rule of a hook", () => {
  it("accepts only functions as hooks", () => {
    expectFine("claims", [() => ({}), async () => ({})]);
    expectFaults("claims", "must be a function", [{}, "claims", null, true]);
  });
});

describe("the rules of the webhook", () => {
  it("accepts https URLs and http URLs of this machine, and never shows a URL that it refuses", () => {
    expectFine("webhookUrl", ["https://a.example", "https://a.example:8443/b?c=d", "http://localhost:9/x"]);
    expectFine("webhookUrl", ["http://127.0.0.1:8080/hook", "http://[::1]/"]);
    const fault = "must be an https URL without a password in it, or an http URL of this machine";
    expectSecretFaults("webhookUrl", fault, [
      "http://a.example/",
      "http://localhost.evil.example/",
      "http://127.0.0.1.evil.example/",
      "https://user:pass@a.example/",
      "http://localhost@evil.example/",
      "ftp://a.example/",
      "https://",
      "https://a.example/ b",
      "https://a.example/#c",
      "",
      "a.example",
    ]);
  });

  it("accepts webhook secrets of at least 24 bytes in base64, and never shows one that it refuses", () => {
    const bytes = (length: number) => Buffer.alloc(length, 1).toString("base64");
    expectFine("webhookSecret", [bytes(24), `whsec_${bytes(32)}`, bytes(25), bytes(64)]);
    const fault = "must be at least 24 random bytes in base64, such as from: openssl rand -base64 32";
    expectSecretFaults("webhookSecret", fault, [bytes(23), "x".repeat(40).concat("!"), "", "whsec_"]);
  });
});

describe("the message about a faulty value", () => {
  it.each<[value: unknown, shown: string]>([
    ["900", '"900"'],
    ['two "words"\r\n', '"two \\"words\\"\\r\\n"'],
    ["x".repeat(61), `"${"x".repeat(60)}…"`],
    [0.5, "0.5"],
    [10n, "10"],
    [Number.NaN, "NaN"],
    [null, "null"],
    [true, "true"],
    [{ planted: "s3cr3t" }, "an object"],
    [["s3cr3t"], "a list"],
    [[], "an empty list"],
    [() => "s3cr3t", "a function"],
    [Symbol("s3cr3t"), "a symbol"],
  ])("shows what was given in place of a duration, on one line: case %#", (value, shown) => {
    expect(faultOf("leeway", value)).toBe(`must be a whole number of seconds from 0 to 300, got ${shown}`);
  });

  it("shows the first faulty item of a list", () => {
    expect(faultOf("authHeaderTypes", ["Bearer", "a b", ""])).toMatch(/, got "a b"$/);
    expect(faultOf("trustedProxies", ["10.0.0.0/8", undefined])).toMatch(/, got undefined$/);
  });

  it("never shows the members of an object, whatever the setting", () => {
    for (const name of Object.keys(settingRules) as Name[]) {
      expect(faultOf(name, { planted: "s3cr3t" })).not.toMatch(/s3cr3t|planted/);
    }
  });

  it.each(["trustedOrigins", "authPath", "authHeaderName", "cookieDomain", "algorithm", "leeway"] as const)(
    "shows a URL in the place of %s without its user and password",
    (name) => {
      for (const userinfo of ["u", "u:s3cr3t", "u:s3cr3t/s3cr3t@s3cr3t", `${"u".repeat(80)}:s3cr3t`]) {
        const url = `https://${userinfo}@app.example.com`;
        const fault = faultOf(name, name === "trustedOrigins" ? [url] : url);
        expect(fault).toMatch(/, got "https:\/\/…@app\.example\.com"$/);
      }
    },
  );

  it("never shows a secret, whatever is wrong with it", () => {
    const planted = "pl4nted s3cr3t";
    for (const name of ["passwordPeppers", "webhookSecret", "webhookUrl"] as const) {
      for (const value of [planted, [planted], { planted }]) {
        expect(() => resolveSettings({ [name]: value })).toThrow(name);
        expect(() => resolveSettings({ [name]: value })).not.toThrow("pl4nted");
      }
    }
  });
});
