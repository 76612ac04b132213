import { describe, expect, it } from "vitest";
import { parseIssuerUrl } from "../../../src/core/settings/issuer-url.ts";

describe("parseIssuerUrl", () => {
  it.each([
    "https://id.example",
    "https://id.example/",
    "https://id.example:8443/tenant/one",
    "http://localhost:8000",
    "http://127.0.0.1:8000",
    "http://[::1]:8000/account",
  ])("returns %s as a URL", (issuer) => {
    expect(parseIssuerUrl(issuer)?.href.replace(/\/$/, "")).toBe(issuer.replace(/\/$/, ""));
  });

  it.each([
    undefined,
    "",
    "tokenpair",
    "id.example",
    "urn:example:issuer",
    "http://id.example",
    "ftp://id.example",
    "https://",
    "https://id.example?",
    "https://id.example?a=b",
    "https://id.example#top",
    "https://user:password@id.example",
    " https://id.example",
    "https://id.example\n",
    "https://id.exa mple",
    "https:\\\\id.example",
    "https://id.example:99999",
  ])("returns null for %j", (issuer) => {
    expect(parseIssuerUrl(issuer)).toBeNull();
  });
});
