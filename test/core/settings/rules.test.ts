import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/core/settings/resolve.ts";
import { findSettingFault, settingRules } from "../../../src/core/settings/rules.ts";

const faultOf = (name: keyof typeof settingRules, value: unknown) => findSettingFault(settingRules[name], value);

function expectFaults(name: keyof typeof settingRules, fault: string, values: readonly unknown[]): void {
  for (const value of values) expect(faultOf(name, value), String(value)).toBe(fault);
}

function expectFine(name: keyof typeof settingRules, values: readonly unknown[]): void {
  for (const value of values) expect(faultOf(name, value), String(value)).toBeNull();
}

const pepperForm =
  'peppers as "id:key": at most 8 letters, digits, - or _, a colon, at least 16 characters without space or comma';

describe("a setting of the wrong kind", () => {
  it("is refused by its name", () => {
    expect(() => resolveSettings({ leeway: "10" })).toThrow(TypeError);
    expect(() => resolveSettings({ leeway: "10" })).toThrow(/^leeway: must be whole seconds from 0 to 300$/);
    expect(() => resolveSettings({ leeway: null })).toThrow(/^leeway: /);
  });

  it("is refused without its value being shown", () => {
    for (const name of Object.keys(settingRules)) {
      expect(faultOf(name as keyof typeof settingRules, { planted: "s3cr3t" })).not.toMatch(/s3cr3t|planted/);
    }
  });
});

describe("a duration", () => {
  it("is whole seconds within its bounds, both included", () => {
    expectFine("reuseInterval", [0, 10, 60]);
    expectFine("accessTokenLifetime", [1, 86_400]);
  });

  it("is no fraction, no text, nothing negative, and not without end", () => {
    const fault = "must be whole seconds from 0 to 60";
    expectFaults("reuseInterval", fault, [-1, 61, 0.5, "10", null, true, Number.NaN, Infinity, 10n, [10]]);
    expectFaults("accessTokenLifetime", "must be whole seconds from 1 to 86400", [0, 86_401]);
  });
});

describe("a switch", () => {
  it("is true or false and nothing that resembles them", () => {
    expectFine("loadUser", [true, false]);
    expectFaults("loadUser", "must be true or false", ["true", 1, 0, null, ""]);
  });
});

describe("blacklistAfterRotation", () => {
  it("may be true, as simplejwt's users have it", () => {
    expectFine("blacklistAfterRotation", [true]);
  });

  it("cannot be false, and says why", () => {
    const why = "a session is one row, so a token that was rotated away has nothing left that could keep it valid";
    expectFaults("blacklistAfterRotation", `can only be true: ${why}`, [false, 1, "true", null]);
    expect(() => resolveSettings({ blacklistAfterRotation: false })).toThrow(
      `blacklistAfterRotation: can only be true`,
    );
  });
});

describe("a choice", () => {
  it("is one of its values, in their case", () => {
    expectFine("algorithm", ["HS256", "HS384", "HS512"]);
    expectFaults("algorithm", "must be one of HS256, HS384, HS512", ["hs256", "none", "RS256", null, 256, ["HS256"]]);
    expectFaults("cookieSameSite", "must be one of Strict, Lax, None", ["lax", false]);
  });
});

describe("a count", () => {
  it("is a whole number within its bounds", () => {
    expectFine("passwordMemoryCost", [8, 19_456, 262_144]);
    expectFaults("passwordMemoryCost", "must be a number of KiB from 8 to 262144", [7, 262_145, 64.5, "64", null]);
    expectFine("passwordQueueLimit", [0, 10_000]);
    expectFaults("passwordHashConcurrency", "must be a number of hashes from 1 to 256", [0, -1, Infinity]);
  });
});

describe("the cost of a hash", () => {
  const refuse = (settings: Record<string, unknown>, reason: string) =>
    expect(() => resolveSettings(settings)).toThrow(reason);

  it("stays within what would be verified, in all its parts together", () => {
    expect(resolveSettings({ passwordMemoryCost: 262_144, passwordTimeCost: 4 }).passwordTimeCost).toBe(4);
    refuse({ passwordMemoryCost: 262_144, passwordTimeCost: 5 }, "passwordTimeCost: with this passwordMemoryCost");
    refuse({ passwordMemoryCost: 127, passwordParallelism: 16 }, "passwordMemoryCost: must be at least 8 KiB for each");
  });
});

describe("a pepper", () => {
  const key = "0123456789abcdef";

  it("has an id and a key", () => {
    expectFine("passwordPeppers", [[], [`2026:${key}`], [`a:${key}:/+=$`, `B_-1:${"k".repeat(500)}`]]);
    const texts = [key, `:${key}`, `2026:${key.slice(1)}`, `2026-2027:${key}`, `a b:${key}`, `a:${key},`, `a:${key} k`];
    expectFaults("passwordPeppers", `must be a list of ${pepperForm}`, [`2026:${key}`, ...texts.map((text) => [text])]);
  });

  it("has an id of its own, and no key is shown where it does not", () => {
    const twice = { passwordPeppers: [`2026:${key}`, `2025:${key}`, `2026:fedcba9876543210`] };
    expect(() => resolveSettings(twice)).toThrow(
      /^passwordPeppers: two have the same id; a new pepper needs an id of its own$/,
    );
  });
});

describe("a text", () => {
  it("has its form", () => {
    expectFine("authHeaderName", ["Authorization", "X-Access-Token"]);
    expectFaults("authHeaderName", "must be an HTTP header name", [
      "",
      "X Token",
      "X:",
      "X\r\nSet-Cookie",
      1,
      null,
      ["X"],
    ]);
    expectFine("userIdClaim", ["user_id", "sub", "https://example.com/id"]);
    expectFaults("userIdClaim", "must be a claim name without spaces", ["", "user id", "a\n"]);
    expectFine("issuer", ["https://auth.example"]);
    expectFaults("issuer", "must be a text that is not empty", ["", null, 1]);
  });

  it("that names a cookie has no character that would end the name", () => {
    expectFine("accessCookieName", ["__Host-Http-access", "a"]);
    expectFaults("accessCookieName", "must be a cookie name", ["", "a=b", "a;b", "a b", 'a"', "ä"]);
  });

  it("that is a path starts with a slash, ends without one, and has plain segments", () => {
    expectFine("authPath", ["/auth", "/api/v1.0/auth", "/~me/auth-2"]);
    for (const path of ["", "/", "auth", "/auth/", "//auth", "/a//b", "/a b", "/{id}", "/a?b", "/a;b", "/ä", "/a/:b"]) {
      expect(faultOf("authPath", path), path).toMatch(/^must be a path such as "\/api\/auth": a slash first/);
    }
  });

  it("that is a domain has a dot and no scheme or port", () => {
    expectFine("cookieDomain", ["example.com", "a.b.example.co.uk"]);
    const others = ["localhost", ".example.com", "https://example.com", "example.com:443", "example.com; Path=/", ""];
    expectFaults("cookieDomain", 'must be a domain such as "example.com"', others);
  });
});

describe("a list of texts", () => {
  it("of authentication schemes has at least one", () => {
    expectFine("authHeaderTypes", [["Bearer"], ["Bearer", "JWT"]]);
    const fault = "must be a list of authentication schemes, with at least one";
    expectFaults("authHeaderTypes", fault, [[], "Bearer", ["Bearer", ""], ["a b"], [1], null, new Set(["Bearer"])]);
  });

  it("of origins has them as a browser sends them, or none", () => {
    const origins = ["https://app.example.com", "http://localhost:5173", "https://[::1]:8443", "https://a.b:8080"];
    expectFine("trustedOrigins", [[], origins]);
    for (const origin of [
      "*",
      "null",
      "app.example.com",
      "https://App.example.com",
      "https://app.example.com/",
      "https://app.example.com/path",
      "https://app.example.com:443",
      "http://app.example.com:80",
      "https://user@app.example.com",
      "https://*.example.com",
      "ftp://app.example.com",
      " https://app.example.com",
    ]) {
      expect(faultOf("trustedOrigins", [origin]), origin).toMatch(/^must be a list of origins as a browser sends them/);
    }
  });
});

describe("a list of networks", () => {
  it("has addresses and networks, or nothing", () => {
    expectFine("trustedProxies", [[], ["127.0.0.1", "::1", "10.0.0.0/8", "2001:db8::/32"]]);
    const fault = 'must be a list of IP addresses and networks such as "10.0.0.0/8" or "2001:db8::/32"';
    expectFaults("trustedProxies", fault, ["10.0.0.0/8", ["loopback"], ["10.0.0.1/8"], [true], ["*"], null]);
  });
});

describe("a number of failures", () => {
  it("is never more than NIST allows on an account, and 0 for none", () => {
    expectFine("maxLoginFailures", [0, 1, 100]);
    expectFaults("maxLoginFailures", "must be a number of failures from 0 to 100", [101, -1, 1.5, "5", Infinity, null]);
  });
});

describe("a hook", () => {
  it("is a function", () => {
    expectFine("claims", [() => ({}), async () => ({})]);
    expectFaults("claims", "must be a function", [{}, "claims", null, true]);
  });
});

describe("the webhook", () => {
  it("goes by https, or by http to this machine, and has no password in its URL", () => {
    expectFine("webhookUrl", ["https://a.example", "https://a.example:8443/b?c=d", "http://localhost:9/x"]);
    expectFine("webhookUrl", ["http://127.0.0.1:8080/hook", "http://[::1]/"]);
    const form = "must be an https URL without a password in it, or an http URL of this machine";
    expectFaults("webhookUrl", form, [
      "http://a.example/",
      "http://localhost.evil.example/",
      "http://127.0.0.1.evil.example/",
    ]);
    expectFaults("webhookUrl", form, [
      "https://user:pass@a.example/",
      "http://localhost@evil.example/",
      "ftp://a.example/",
    ]);
    expectFaults("webhookUrl", form, ["https://", "https://a.example/ b", "https://a.example/#c", "", "a.example"]);
  });

  it("has a secret of at least 24 bytes in base64", () => {
    expectFine("webhookSecret", [
      Buffer.alloc(24, 1).toString("base64"),
      `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
    ]);
    expectFine("webhookSecret", [Buffer.alloc(25, 1).toString("base64"), Buffer.alloc(64, 1).toString("base64")]);
    const form = "must be at least 24 random bytes in base64, such as from: openssl rand -base64 32";
    expectFaults("webhookSecret", form, [
      Buffer.alloc(23, 1).toString("base64"),
      "x".repeat(40).concat("!"),
      "",
      "whsec_",
    ]);
  });
});
