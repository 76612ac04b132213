import { describe, expect, it } from "vitest";
import { isAllowedOrigin, isSafeMethod } from "../../../src/http/cookies/same-origin.ts";

const settings = { trustedOrigins: ["https://app.example.com", "http://localhost:5173"] };

function isAllowed(headers: Record<string, string>, url?: string): boolean {
  return isAllowedOrigin({ method: "POST", headers: { host: "auth.example", ...headers }, url }, settings);
}

describe("with Sec-Fetch-Site", () => {
  it("our own page may", () => {
    expect(isAllowed({ "sec-fetch-site": "same-origin" })).toBe(true);
    expect(isAllowed({ "sec-fetch-site": "same-origin", origin: "https://auth.example" })).toBe(true);
  });

  it("a cross-site form post may not", () => {
    expect(isAllowed({ "sec-fetch-site": "cross-site", origin: "https://evil.example" })).toBe(false);
    expect(isAllowed({ "sec-fetch-site": "cross-site" })).toBe(false);
  });

  it("a page of a sibling subdomain may not", () => {
    expect(isAllowed({ "sec-fetch-site": "same-site", origin: "https://blog.auth.example" })).toBe(false);
  });

  it("what no page sent may not: a bookmark or the address bar make no changes", () => {
    expect(isAllowed({ "sec-fetch-site": "none" })).toBe(false);
  });

  it("an Origin that looks right does not help a request that the browser calls cross-site", () => {
    expect(isAllowed({ "sec-fetch-site": "cross-site", origin: "https://auth.example" })).toBe(false);
  });

  it("a value that nobody defined may not, nor an empty or a doubled one", () => {
    for (const site of ["", "same-origin, cross-site", "Same-Origin", "sameorigin"]) {
      expect(isAllowed({ "sec-fetch-site": site })).toBe(false);
    }
  });

  it("a trusted origin may, from whatever site", () => {
    for (const site of ["same-site", "cross-site", "none"]) {
      expect(isAllowed({ "sec-fetch-site": site, origin: "https://app.example.com" })).toBe(true);
    }
  });
});

describe("with Origin alone, from an older browser", () => {
  it("our own host may, also where a proxy ended TLS", () => {
    expect(isAllowed({ origin: "https://auth.example" })).toBe(true);
    expect(isAllowed({ origin: "https://auth.example" }, "http://auth.example/api/auth/login/")).toBe(true);
    expect(isAllowed({ origin: "http://auth.example" }, "http://auth.example/api/auth/login/")).toBe(true);
  });

  it("an http page may not where we are seen by https", () => {
    expect(isAllowed({ origin: "http://auth.example" }, "https://auth.example/api/auth/login/")).toBe(false);
  });

  it("the port counts, and a scheme's default port is no port", () => {
    expect(isAllowed({ host: "auth.example:8443", origin: "https://auth.example:8443" })).toBe(true);
    expect(isAllowed({ host: "auth.example:443", origin: "https://auth.example" })).toBe(true);
    expect(isAllowed({ host: "auth.example", origin: "https://auth.example:8443" })).toBe(false);
    expect(isAllowed({ host: "auth.example:8443", origin: "https://auth.example" })).toBe(false);
    expect(isAllowed({ host: "localhost:8000", origin: "http://localhost:5174" })).toBe(false);
  });

  it("a foreign page, a sibling subdomain, a parent domain and look-alikes may not", () => {
    for (const origin of [
      "https://evil.example",
      "https://blog.auth.example",
      "https://example",
      "https://auth.example.evil.example",
      "https://evil-auth.example",
      "https://auth.example@evil.example",
      "https://evil.example/auth.example",
      "https://auth.example/",
      "https://auth.example https://evil.example",
      "https://auth.example, https://evil.example",
      "ftp://auth.example",
      "auth.example",
      "",
    ]) {
      expect(isAllowed({ origin })).toBe(false);
    }
  });

  it("null, which every sandboxed page sends, may not, not even where it is on the list", () => {
    expect(isAllowed({ origin: "null" })).toBe(false);
    const request = { headers: { host: "null", origin: "null" } };
    expect(isAllowedOrigin(request, { trustedOrigins: ["null"] })).toBe(false);
  });

  it("a trusted origin may, and its subdomains, other ports and schemes may not", () => {
    expect(isAllowed({ origin: "http://localhost:5173" })).toBe(true);
    expect(isAllowed({ origin: "http://app.example.com" })).toBe(false);
    expect(isAllowed({ origin: "https://x.app.example.com" })).toBe(false);
    expect(isAllowed({ origin: "https://app.example.com:8443" })).toBe(false);
    expect(isAllowed({ origin: "https://app.example.com.evil.example" })).toBe(false);
  });

  it("nobody may where the request's own host is not known", () => {
    expect(isAllowedOrigin({ headers: { origin: "https://auth.example" } }, settings)).toBe(false);
  });

  it("the URL, or HTTP/2's :authority, stands in for Host", () => {
    const headers = new Headers({ Origin: "https://auth.example" });
    expect(isAllowedOrigin({ headers, url: "https://auth.example/x" }, settings)).toBe(true);
    const http2 = { ":authority": "auth.example", origin: "https://auth.example" };
    expect(isAllowedOrigin({ headers: http2 }, settings)).toBe(true);
  });
});

describe("without either", () => {
  it("the origin says nothing, and the CSRF token alone decides", () => {
    expect(isAllowed({})).toBe(true);
  });
});

it("a record finds the headers under any case, so that none is overlooked", () => {
  expect(isAllowedOrigin({ headers: { "Sec-Fetch-Site": "cross-site" } }, settings)).toBe(false);
});

it("only methods that ask for no change are safe, and a missing method is not", () => {
  expect(["GET", "HEAD", "OPTIONS"].every(isSafeMethod)).toBe(true);
  expect(["POST", "PUT", "PATCH", "DELETE", "get", "", undefined].some(isSafeMethod)).toBe(false);
});
