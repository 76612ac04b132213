import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";

const path = "/.well-known/oauth-authorization-server";

let auth: TestAuth;
async function start(settings: Partial<Settings<AuthUser>>): Promise<TestAuth> {
  auth = await createTestAuth({ settings });
  return auth;
}
afterEach(() => auth.close());

describe("GET /.well-known/oauth-authorization-server", () => {
  it("answers the issuer and the endpoints for services, and no endpoint that does not exist", async () => {
    const { send } = await start({ issuer: "https://id.example" });
    const response = await send("GET", path);
    const document = (await response.json()) as Record<string, unknown>;
    expect(document).toEqual({
      issuer: "https://id.example",
      jwks_uri: "https://id.example/.well-known/jwks.json",
      introspection_endpoint: "https://id.example/api/token/introspect/",
      introspection_endpoint_auth_methods_supported: ["client_secret_basic"],
      revocation_endpoint: "https://id.example/api/token/revoke/",
      revocation_endpoint_auth_methods_supported: ["client_secret_basic"],
      response_types_supported: [],
      grant_types_supported: [],
      tokenpair_check_endpoint: "https://id.example/api/auth/check/",
      tokenpair_revocations_endpoint: "https://id.example/api/auth/revocations/",
    });
    const urls = Object.values(document).filter((value) => typeof value === "string");
    for (const url of urls.filter((url) => url !== document["issuer"])) {
      expect([url, auth.handler.handles(new URL(url).pathname)]).toEqual([url, true]);
    }
  });

  it("may be cached for five minutes, and answers 304 to its ETag", async () => {
    const { send } = await start({ issuer: "https://id.example" });
    const { headers } = await send("GET", path);
    expect(headers.get("Cache-Control")).toBe("public, max-age=300");
    expect(headers.get("Content-Type")).toBe("application/json");
    const again = await send("GET", path, { headers: { "If-None-Match": headers.get("ETag") ?? "" } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect((await send("HEAD", path)).headers.get("ETag")).toBe(headers.get("ETag"));
  });

  it("is also at the path of an issuer with a path, with and without a trailing slash", async () => {
    for (const issuer of ["https://id.example/tenants/a:b", "https://id.example/tenants/a:b/"]) {
      const { send, close } = await start({ issuer });
      for (const suffix of ["", "/", "/tenants/a:b", "/tenants/a:b/"]) {
        const response = await send("GET", `${path}${suffix}`);
        expect([suffix, response.status]).toEqual([suffix, 200]);
        expect(await response.json()).toMatchObject({ issuer, jwks_uri: "https://id.example/.well-known/jwks.json" });
      }
      for (const suffix of ["/tenants", "/tenants/a:c", "/tenants/a:b/x", "//tenants/a:b"]) {
        expect([suffix, (await send("GET", `${path}${suffix}`)).status]).toEqual([suffix, 404]);
      }
      expect((await send("POST", `${path}/tenants/a:b`)).headers.get("Allow")).toBe("GET, HEAD, OPTIONS");
      await close();
    }
    auth = await createTestAuth();
  });

  it("names the endpoints with the prefix that a proxy removes, and with moved paths", async () => {
    const { send } = await start({
      issuer: "http://localhost:8000/account",
      publicPath: "/account",
      tokenPath: "/jwt",
      authPath: "/session",
    });
    expect(await (await send("GET", path)).json()).toMatchObject({
      issuer: "http://localhost:8000/account",
      jwks_uri: "http://localhost:8000/account/.well-known/jwks.json",
      introspection_endpoint: "http://localhost:8000/account/jwt/introspect/",
      revocation_endpoint: "http://localhost:8000/account/jwt/revoke/",
      tokenpair_check_endpoint: "http://localhost:8000/account/session/check/",
    });
    expect((await send("GET", `${path}/account`)).status).toBe(200);
  });

  it.each([undefined, "tokenpair", "urn:example:issuer", "http://id.example", "https://id.example/?tenant=1"])(
    "answers 404, which is not cached, if the issuer is %s",
    async (issuer) => {
      const { send } = await start({ issuer });
      const response = await send("GET", path);
      expect([response.status, await response.json()]).toEqual([404, { detail: "Not found.", code: "not_found" }]);
      expect(response.headers.get("Cache-Control")).toBe("no-store");
    },
  );
});
