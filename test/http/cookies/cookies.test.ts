import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toCookieNames } from "../../../src/core/settings/cookie-names.ts";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import {
  readCookies,
  toClearedCookies,
  toClearedVariants,
  toCsrfCookie,
  toDeviceCookie,
  toSessionCookies,
  toTokenLimits,
} from "../../../src/http/cookies/cookies.ts";

const pair = { access: "a.b.c", refresh: "d.e.f", accessExpiresIn: 1_800, refreshExpiresIn: 2_592_000 };
const read = (cookie: string, settings = defaultSettings) => readCookies({ cookie }, settings);

describe("the cookies of a session", () => {
  it("sets the three cookies of a remembered session, byte for byte", () => {
    expect(toSessionCookies(defaultSettings, { pair, csrfToken: "r.m", persistent: true })).toEqual([
      "__Host-Http-access=a.b.c; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax",
      "__Secure-refresh=d.e.f; Max-Age=2592000; Path=/api/auth; Secure; HttpOnly; SameSite=Strict",
      "__Host-csrftoken=r.m; Max-Age=2592000; Path=/; Secure; SameSite=Lax",
    ]);
  });

  it("sets the cookies of a session that is not remembered without Max-Age", () => {
    expect(toSessionCookies(defaultSettings, { pair, csrfToken: "r.m", persistent: false })).toEqual([
      "__Host-Http-access=a.b.c; Path=/; Secure; HttpOnly; SameSite=Lax",
      "__Secure-refresh=d.e.f; Path=/api/auth; Secure; HttpOnly; SameSite=Strict",
      "__Host-csrftoken=r.m; Path=/; Secure; SameSite=Lax",
    ]);
  });

  it("sets no refresh cookie if there is no new refresh token", () => {
    const { refresh: _, ...renewed } = pair;
    const cookies = toSessionCookies(defaultSettings, { pair: renewed, csrfToken: "r.m", persistent: true });
    expect(cookies.map((cookie) => cookie.split("=")[0])).toEqual(["__Host-Http-access", "__Host-csrftoken"]);
  });

  it("deletes the cookies with the attributes that they were set with", () => {
    expect(toClearedCookies(defaultSettings)).toEqual([
      "__Host-Http-access=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",
      "__Secure-refresh=; Max-Age=0; Path=/api/auth; Secure; HttpOnly; SameSite=Strict",
      "__Host-csrftoken=; Max-Age=0; Path=/; Secure; SameSite=Lax",
    ]);
  });

  it("sets cookies without prefix and without Secure if insecureCookies is on", () => {
    const settings = { ...defaultSettings, insecureCookies: true };
    expect(toCookieNames(settings)).toEqual({
      access: "access",
      refresh: "refresh",
      csrf: "csrftoken",
      device: "device",
    });
    expect(toSessionCookies(settings, { pair, csrfToken: "r.m", persistent: false })).toEqual([
      "access=a.b.c; Path=/; HttpOnly; SameSite=Lax",
      "refresh=d.e.f; Path=/api/auth; HttpOnly; SameSite=Strict",
      "csrftoken=r.m; Path=/; SameSite=Lax",
    ]);
  });

  it("sets cookies as the settings say, but the refresh cookie always with SameSite=Strict", () => {
    const settings = {
      ...defaultSettings,
      accessCookieName: "__Secure-a",
      refreshCookieName: "__Secure-r",
      csrfCookieName: "c",
      cookieSameSite: "None",
      cookieDomain: "example.com",
      authPath: "/auth",
    } as const;
    expect(toSessionCookies(settings, { pair, csrfToken: "r.m", persistent: false })).toEqual([
      "__Secure-a=a.b.c; Domain=example.com; Path=/; Secure; HttpOnly; SameSite=None",
      "__Secure-r=d.e.f; Domain=example.com; Path=/auth; Secure; HttpOnly; SameSite=Strict",
      "c=r.m; Domain=example.com; Path=/; Secure; SameSite=None",
    ]);
  });

  it("puts publicPath before the path of the refresh and device cookies, and no other", () => {
    const settings = { ...defaultSettings, publicPath: "/account" };
    const cookies = [
      ...toSessionCookies(settings, { pair, csrfToken: "r.m", persistent: true }),
      ...toClearedCookies(settings),
      toDeviceCookie(settings, "d", true),
    ];
    const paths = cookies.map((cookie) => /^[\w-]+=|(?<=; )Path=[^;]*/g[Symbol.match](cookie)?.join(" "));
    expect(paths).toEqual([
      "__Host-Http-access= Path=/",
      "__Secure-refresh= Path=/account/api/auth",
      "__Host-csrftoken= Path=/",
      "__Host-Http-access= Path=/",
      "__Secure-refresh= Path=/account/api/auth",
      "__Host-csrftoken= Path=/",
      "__Secure-device= Path=/account/api/auth",
    ]);
  });

  it("deletes planted refresh cookies at every path above the cookie endpoints, with publicPath", () => {
    const cookies = toClearedVariants({ ...defaultSettings, publicPath: "/account" }, "auth.example");
    const paths = cookies.map((cookie) => /Path=([^;]*)/.exec(cookie)?.[1]);
    expect(paths).toEqual(["/", "/account", "/account/api", "/account/api/auth"]);
  });

  it("limits tokens to the 4,096 bytes that browsers keep of a name and a value", () => {
    const { access, refresh } = toTokenLimits(defaultSettings);
    expect("__Host-Http-access".length + access).toBe(4_096);
    expect("__Secure-refresh".length + refresh).toBe(4_096);
  });

  it("refuses to set a cookie whose value has a character that is not allowed", () => {
    for (const value of ["a;Domain=evil.example", "a\r\nSet-Cookie: b=c", "a b", 'a"b', "a,b", "ä", "a\\b"]) {
      expect(() => toCsrfCookie(defaultSettings, value, null)).toThrow(TypeError);
    }
  });
});

describe("reading the Cookie header", () => {
  it("reads tokenpair's cookies among others", () => {
    expect(read("theme=dark; __Host-Http-access=a.b.c;__Secure-refresh=d.e.f ; __Host-csrftoken=r.m; x")).toEqual({
      access: "a.b.c",
      refresh: "d.e.f",
      csrf: "r.m",
      hasDuplicates: false,
    });
  });

  it("reads nothing if the Cookie header is missing or empty, or has an empty cookie", () => {
    const nothing = { access: undefined, refresh: undefined, csrf: undefined, hasDuplicates: false };
    expect(readCookies({}, defaultSettings)).toEqual(nothing);
    expect(read("")).toEqual(nothing);
    expect(read("__Host-Http-access=")).toEqual(nothing);
  });

  it("reports two access or CSRF cookies, in either order, with equal values or with an empty one", () => {
    for (const name of ["__Host-Http-access", "__Host-csrftoken"]) {
      expect(read(`${name}=mine; ${name}=theirs`).hasDuplicates).toBe(true);
      expect(read(`${name}=same; x=y; ${name}=same`).hasDuplicates).toBe(true);
      expect(read(`${name}=; ${name}=mine`).hasDuplicates).toBe(true);
    }
    expect(read("other=1; other=2; __Host-Http-access=a").hasDuplicates).toBe(false);
  });

  it("returns all refresh cookies as candidates if there are two, and none of them as the refresh token", () => {
    expect(read("__Secure-refresh=a; x=y; __Secure-refresh=; __Secure-refresh=b")).toMatchObject({
      refresh: undefined,
      refreshCandidates: ["a", "", "b"],
      hasDuplicates: false,
    });
    expect(read("__Secure-refresh=a")).toMatchObject({ refresh: "a", refreshCandidates: undefined });
  });

  it("reports a nameless cookie whose value looks like one of tokenpair's cookies", () => {
    // A browser writes a nameless cookie as its bare value.
    expect(read("__Host-csrftoken=mine; __Host-csrftoken=evil").hasDuplicates).toBe(true);
    expect(read("=__Host-csrftoken=evil").csrf).toBe(undefined);
  });

  it("does not read a cookie whose name only looks like one with a protected prefix", () => {
    const [nbsp, emSpace, nextLine] = ["\u00a0", "\u2003", "\u0085"];
    for (const name of [
      `${nbsp}__Host-Http-access`,
      `${emSpace}__Host-Http-access`,
      `__Host-Http-access${nextLine}`,
      "__host-http-access",
      "__Host-Http-%61ccess",
      '"__Host-Http-access"',
      "\u000b__Host-Http-access",
    ]) {
      expect(read(`${name}=evil`).access).toBe(undefined);
    }
    expect(read('$Version=1; x="; __Host-Http-access=evil"; __Host-Http-access=mine').hasDuplicates).toBe(true);
  });

  it("trims names and values in linear time, and keeps the blanks inside them", () => {
    // A regular expression for the end of a text would take quadratic time: minutes.
    const blanks = " \t".repeat(1_000_000);
    const cookie = `${blanks}__Host-Http-access${blanks}=${blanks}a${blanks}b${blanks};${blanks};x${blanks}y=${blanks}`;
    expect(read(cookie).access).toBe(`a${blanks}b`);
    expect(read(`__Host-csrftoken=${blanks}`).csrf).toBe(undefined);
  });

  it("reads a million pairs without = in linear time", () => {
    const pairs = "a;".repeat(1_000_000);
    expect(read(`${pairs}__Host-Http-access=b`).access).toBe("b");
    expect(read(pairs).access).toBe(undefined);
  });

  it("reads the same cookies as a simple reader, for any header", () => {
    const { access, refresh, csrf, device } = toCookieNames(defaultSettings);
    const part = fc.constantFrom(access, refresh, csrf, device, "x", "=", "=", ";", ";", " ", "\t", "a.b.c");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const pairs = parts
          .join("")
          .split(";")
          .filter((pair) => pair.includes("="))
          .map((pair) => ({
            name: pair.slice(0, pair.indexOf("=")).trim(),
            value: pair.slice(pair.indexOf("=") + 1).trim(),
          }));
        const find = (name: string) => pairs.find((pair) => pair.name === name)?.value || undefined;
        const all = (name: string) => pairs.filter((pair) => pair.name === name).map(({ value }) => value);
        const isDuplicate = (name: string) => all(name).length > 1;
        expect(read(parts.join(""))).toEqual({
          access: find(access),
          refresh: isDuplicate(refresh) ? undefined : find(refresh),
          refreshCandidates: isDuplicate(refresh) ? all(refresh) : undefined,
          csrf: find(csrf),
          device: isDuplicate(device) ? undefined : find(device),
          hasDuplicates: [access, csrf].some(isDuplicate),
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it("joins several Cookie headers, as HTTP/2 sends them", () => {
    const headers = { cookie: ["__Host-Http-access=a", "__Host-Http-access=b"] };
    expect(readCookies(headers, defaultSettings).hasDuplicates).toBe(true);
  });

  it("reads cookies without a prefix only if insecureCookies is on", () => {
    expect(read("access=a; refresh=b; csrftoken=c").access).toBe(undefined);
    expect(readCookies({ cookie: "access=a" }, { ...defaultSettings, insecureCookies: true }).access).toBe("a");
  });
});
