import { describe, expect, it } from "vitest";
import { isAllowedOrigin, isSafeMethod } from "../../../src/http/cookies/same-origin.ts";

const settings = { trustedOrigins: ["https://app.example.com", "http://localhost:5173"] };

function isAllowed(headers: Record<string, string>, url?: string): boolean {
  return isAllowedOrigin({ method: "POST", headers: { host: "auth.example", ...headers }, url }, settings);
}

describe("a request with Sec-Fetch-Site", () => {
  it("allows a request with Sec-Fetch-Site: same-origin", () => {
    expect(isAllowed({ "sec-fetch-site": "same-origin" })).toBe(true);
    expect(isAllowed({ "sec-fetch-site": "same-origin", origin: "https://auth.example" })).toBe(true);
  });

  it("refuses a cross-site form post", () => {
    expect(isAllowed({ "sec-fetch-site": "cross-site", origin: "https://evil.example" })).toBe(false);
    expect(isAllowed({ "sec-fetch-site": "cross-site" })).toBe(false);
  });

  it("refuses a request from a sibling subdomain, which is same-site", () => {
    expect(isAllowed({ "sec-fetch-site": "same-site", origin: "https://blog.auth.example" })).toBe(false);
  });

  it("refuses a request with Sec-Fetch-Site: none, which no page sent", () => {
    expect(isAllowed({ "sec-fetch-site": "none" })).toBe(false);
  });

  it("refuses a cross-site request even if its Origin is the server's own", () => {
    expect(isAllowed({ "sec-fetch-site": "cross-site", origin: "https://auth.example" })).toBe(false);
  });

  it("refuses an unknown, an empty and a double value of Sec-Fetch-Site", () => {
    for (const site of ["", "same-origin, cross-site", "Same-Origin", "sameorigin"]) {
      expect(isAllowed({ "sec-fetch-site": site })).toBe(false);
    }
  });

  it("allows a trusted origin whatever Sec-Fetch-Site says", () => {
    for (const site of ["same-site", "cross-site", "none"]) {
      expect(isAllowed({ "sec-fetch-site": site, origin: "https://app.example.com" })).toBe(true);
    }
  });
});

describe("a request with Origin only, from an older browser", () => {
  it("allows the server's own host, also behind a proxy that terminates TLS", () => {
    expect(isAllowed({ origin: "https://auth.example" })).toBe(true);
    expect(isAllowed({ origin: "https://auth.example" }, "http://auth.example/api/auth/login/")).toBe(true);
    expect(isAllowed({ origin: "http://auth.example" }, "http://auth.example/api/auth/login/")).toBe(true);
  });

  it("refuses an http origin if the request came by https", () => {
    expect(isAllowed({ origin: "http://auth.example" }, "https://auth.example/api/auth/login/")).toBe(false);
  });

  it("compares ports, and drops a scheme's default port", () => {
    expect(isAllowed({ host: "auth.example:8443", origin: "https://auth.example:8443" })).toBe(true);
    expect(isAllowed({ host: "auth.example:443", origin: "https://auth.example" })).toBe(true);
    expect(isAllowed({ host: "auth.example", origin: "https://auth.example:8443" })).toBe(false);
    expect(isAllowed({ host: "auth.example:8443", origin: "https://auth.example" })).toBe(false);
    expect(isAllowed({ host: "localhost:8000", origin: "http://localhost:5174" })).toBe(false);
  });

  it("refuses other hosts, a sibling subdomain, a parent domain and look-alikes", () => {
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

  it("refuses the origin null, which every sandboxed page sends, even if trustedOrigins has it", () => {
    expect(isAllowed({ origin: "null" })).toBe(false);
    const request = { headers: { host: "null", origin: "null" } };
    expect(isAllowedOrigin(request, { trustedOrigins: ["null"] })).toBe(false);
  });

  it("allows a trusted origin, and refuses its subdomains, other ports and other schemes", () => {
    expect(isAllowed({ origin: "http://localhost:5173" })).toBe(true);
    expect(isAllowed({ origin: "http://app.example.com" })).toBe(false);
    expect(isAllowed({ origin: "https://x.app.example.com" })).toBe(false);
    expect(isAllowed({ origin: "https://app.example.com:8443" })).toBe(false);
    expect(isAllowed({ origin: "https://app.example.com.evil.example" })).toBe(false);
  });

  it("refuses every origin if the request's own host is not known", () => {
    expect(isAllowedOrigin({ headers: { origin: "https://auth.example" } }, settings)).toBe(false);
  });

  it("reads the own host from the URL or from :authority of HTTP/2 if there is no Host header", () => {
    const headers = new Headers({ Origin: "https://auth.example" });
    expect(isAllowedOrigin({ headers, url: "https://auth.example/x" }, settings)).toBe(true);
    const http2 = { ":authority": "auth.example", origin: "https://auth.example" };
    expect(isAllowedOrigin({ headers: http2 }, settings)).toBe(true);
  });
});

describe("a request of an app's page", () => {
  it("is refused although its origin is trusted, whatever Sec-Fetch-Site says", () => {
    for (const origin of ["capacitor://localhost", "chrome-extension://abc", "Tauri://localhost"]) {
      for (const site of [{}, { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }]) {
        const request = { headers: { host: "localhost", origin, ...site } };
        expect(isAllowedOrigin(request, { trustedOrigins: [origin] })).toBe(false);
      }
    }
  });
});

describe("a request with neither header", () => {
  it("allows a request with neither Sec-Fetch-Site nor Origin, so that the CSRF token decides", () => {
    expect(isAllowed({})).toBe(true);
  });
});

it("finds a header of a record whatever the case of its name", () => {
  expect(isAllowedOrigin({ headers: { "Sec-Fetch-Site": "cross-site" } }, settings)).toBe(false);
});

it("calls only GET, HEAD and OPTIONS safe, and a missing method unsafe", () => {
  expect(["GET", "HEAD", "OPTIONS"].every(isSafeMethod)).toBe(true);
  expect(["POST", "PUT", "PATCH", "DELETE", "get", "", undefined].some(isSafeMethod)).toBe(false);
});
