import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

let t: TestAuth;
beforeAll(async () => {
  t = await createTestAuth();
});
afterAll(() => t.close());

describe("every response", () => {
  it.each([
    ["POST", "/api/token/", alice],
    ["POST", "/api/token/", {}],
    ["POST", "/api/token/verify/", { token: "x" }],
    ["GET", "/api/token/", undefined],
    ["OPTIONS", "/api/token/", undefined],
    ["GET", "/api/auth/me/", undefined],
    ["GET", "/nowhere", undefined],
    ["GET", "/api/schema/", undefined],
  ])("answers %s %s %j with the standard headers", async (method, path, body) => {
    const { headers } = await t.send(method, path, { body });
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
    expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    expect(headers.get("Cross-Origin-Resource-Policy")).toBe("same-origin");
    expect([headers.get("Server"), headers.get("X-Powered-By")]).toEqual([null, null]);
  });

  it("answers with JSON whatever the Accept header says", async () => {
    const response = await t.send("POST", "/api/token/", { body: alice, headers: { Accept: "text/html" } });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "application/json"]);
  });
});
