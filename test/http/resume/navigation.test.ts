import { describe, expect, it } from "vitest";
import { findNavigation } from "../../../src/http/resume/navigation.ts";

const acceptPage = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const navigate = {
  "sec-fetch-dest": "document",
  "sec-fetch-mode": "navigate",
  "sec-fetch-site": "none",
  accept: acceptPage,
};

describe("findNavigation", () => {
  it.each<[string, Record<string, string>]>([
    ["a browser with Fetch Metadata", { ...navigate, "sec-fetch-user": "?1" }],
    ["a link from another site", { ...navigate, "sec-fetch-site": "cross-site" }],
    ["a browser without Fetch Metadata, or any at plain http", { accept: acceptPage }],
  ])("finds a page for %s", (_, headers) => {
    expect(findNavigation({ method: "GET", headers })).toBe("page");
    expect(findNavigation({ method: "HEAD", headers: new Headers(headers) })).toBe("page");
    expect(findNavigation({ method: "POST", headers })).toBe("form");
  });

  it.each<[string, Record<string, string>]>([
    ["fetch", { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors", accept: "*/*" }],
    ["fetch that asks for HTML", { "sec-fetch-dest": "empty", "sec-fetch-mode": "cors", accept: acceptPage }],
    ["a frame", { ...navigate, "sec-fetch-dest": "iframe" }],
    ["an image", { "sec-fetch-dest": "image", "sec-fetch-mode": "no-cors", accept: "image/avif,*/*;q=0.8" }],
    ["a prefetch of Chromium", { ...navigate, "sec-purpose": "prefetch" }],
    ["a prerender of Chromium", { ...navigate, "sec-purpose": "prefetch;prerender" }],
    ["a prefetch of Safari", { ...navigate, purpose: "prefetch" }],
    ["a prefetch of older Firefox", { accept: acceptPage, "x-moz": "prefetch" }],
    ["a server component of Next", { ...navigate, rsc: "1" }],
    ["a prefetch of Next", { ...navigate, "next-router-prefetch": "1" }],
    ["XMLHttpRequest by jQuery", { accept: "text/html, */*; q=0.01", "x-requested-with": "XMLHttpRequest" }],
    ["htmx", { accept: acceptPage, "hx-request": "true" }],
    ["Turbo without Fetch Metadata", { accept: "text/html, application/xhtml+xml" }],
    ["a command such as curl", { accept: "*/*" }],
    ["no header", {}],
  ])("finds no navigation for %s", (_, headers) => {
    for (const method of ["GET", "HEAD", "POST"]) expect(findNavigation({ method, headers })).toBeNull();
  });

  it.each(["PUT", "DELETE", "OPTIONS", undefined])("finds no navigation for the method %s", (method) => {
    expect(findNavigation({ method, headers: navigate })).toBeNull();
  });
});
