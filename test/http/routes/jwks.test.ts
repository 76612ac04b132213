import { expect, it } from "vitest";
import { createTestAuth } from "../../support/auth.ts";

it("answers GET /.well-known/jwks.json with an empty key set for HMAC, which may be cached", async () => {
  const auth = await createTestAuth();
  const response = await auth.send("GET", "/.well-known/jwks.json");
  expect(await response.json()).toEqual({ keys: [] });
  expect(response.headers.get("Cache-Control")).toBe("public, max-age=300");
  expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  await auth.close();
});
