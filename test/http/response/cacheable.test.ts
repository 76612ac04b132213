import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toCacheableDocument, toCacheableResponse } from "../../../src/http/response/cacheable.ts";

const document = toCacheableDocument('{"a":1}');

/** Returns the status of the response to a request with this `If-None-Match`. */
const statusOf = (ifNoneMatch: string) =>
  toCacheableResponse({ headers: new Headers({ "If-None-Match": ifNoneMatch }) }, document).status;

describe("a cacheable document", () => {
  it("has an ETag that depends on its text alone", () => {
    const hash = createHash("sha256").update('{"a":1}').digest("base64url").slice(0, 22);
    expect(document).toEqual({ body: '{"a":1}', etag: `"${hash}"` });
    expect(toCacheableDocument('{"a":2}').etag).not.toBe(document.etag);
  });

  it("is returned with its ETag, media type and lifetime", async () => {
    const response = toCacheableResponse({ headers: new Headers() }, document, "application/jwk-set+json");
    expect([response.status, await response.text()]).toEqual([200, '{"a":1}']);
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "public, max-age=300",
      "content-type": "application/jwk-set+json",
      etag: document.etag,
    });
  });

  it("is answered with 304 and no body to a client that has it", async () => {
    const headers = new Headers({ "If-None-Match": document.etag });
    const response = toCacheableResponse({ headers }, document);
    expect([response.status, await response.text()]).toEqual([304, ""]);
    expect(Object.fromEntries(response.headers)).toEqual({
      "cache-control": "public, max-age=300",
      etag: document.etag,
    });
  });

  it("is found in a list of ETags, weak ones included, and by *", () => {
    for (const value of [`W/${document.etag}`, `"x", ${document.etag}`, `"a,b" , W/${document.etag},"y"`, " * "]) {
      expect([value, statusOf(value)]).toEqual([value, 304]);
    }
  });

  it("is returned to a client with another ETag, or with a text that is none", () => {
    for (const value of [
      '"x"',
      "",
      document.etag.slice(1, -1),
      document.etag.toUpperCase(),
      '"*"',
      '"',
      `"${"x".repeat(8_000)}`,
    ]) {
      expect([value, statusOf(value)]).toEqual([value, 200]);
    }
  });
});
