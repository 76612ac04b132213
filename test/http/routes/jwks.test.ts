import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AuthError } from "../../../src/core/errors.ts";
import { toCacheableDocument } from "../../../src/http/response/cacheable.ts";
import { createHttpHandler } from "../../../src/http/router.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";

const path = "/.well-known/jwks.json";

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

describe("GET /.well-known/jwks.json", () => {
  it("answers an empty key set if all keys are HMAC secrets", async () => {
    const response = await t.send("GET", path);
    expect(await response.json()).toEqual({ keys: [] });
    expect(response.headers.get("Content-Type")).toBe("application/jwk-set+json");
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=300");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  });

  it("answers 304 to the ETag that it gave, and HEAD with the same headers", async () => {
    const first = await t.send("GET", path);
    const etag = first.headers.get("ETag") ?? "";
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    const second = await t.send("GET", path, { headers: { "If-None-Match": etag } });
    expect([second.status, await second.text(), second.headers.get("ETag")]).toEqual([304, "", etag]);
    const head = await t.send("HEAD", path);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect([...head.headers]).toEqual([...first.headers]);
    expect((await t.send("HEAD", path, { headers: { "If-None-Match": etag } })).status).toBe(304);
  });

  it("lets pages of every origin read it, cached or not", async () => {
    const { headers } = await t.send("GET", path);
    for (const more of [{}, { "If-None-Match": headers.get("ETag") ?? "" }]) {
      const response = await t.send("GET", path, { headers: { Origin: "https://anyone.example", ...more } });
      expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
      expect(response.headers.get("Access-Control-Allow-Credentials")).toBeNull();
    }
  });

  it("answers the keys of this moment, and 503 before they are loaded", async () => {
    let body: string | null = null;
    const { fetch } = createHttpHandler(
      {
        ...t.deps,
        jwks() {
          if (body === null) throw new AuthError("unavailable", "the keys are not loaded");
          return toCacheableDocument(body);
        },
      },
      { onError: () => {} },
    );
    const get = (headers = {}) => fetch(new Request(`https://auth.example${path}`, { headers }));
    const early = await get();
    expect([early.status, early.headers.get("Cache-Control")]).toEqual([503, "no-store"]);
    body = '{"keys":[{"kty":"EC","kid":"a","alg":"ES256"}]}';
    const before = await get();
    expect(await before.text()).toBe(body);
    body = '{"keys":[]}';
    const after = await get({ "If-None-Match": before.headers.get("ETag") });
    expect([after.status, await after.text()]).toEqual([200, body]);
  });
});
