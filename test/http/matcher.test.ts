import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { defineEndpoint } from "../../src/http/endpoint.ts";
import { toJsonResponse } from "../../src/http/response/json.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";

const postPaths = ["/api/token", "/api/token/refresh", "/api/token/verify", "/api/token/blacklist"];
const getPaths = ["/api/auth/me", "/.well-known/jwks.json", "/api/schema"];
const bothForms = (paths: readonly string[]) => paths.flatMap((path) => [path, `${path}/`]);

let t: TestAuth;
beforeAll(async () => {
  t = await createTestAuth();
});
afterAll(() => t.close());

describe("a path", () => {
  it.each(bothForms(postPaths))("%s answers POST, without a redirect", async (path) => {
    expect((await t.send("POST", path, { body: {} })).status).toBe(400);
    expect(t.handler.handles(path)).toBe(true);
  });

  it.each(bothForms(getPaths))("%s answers GET, without a redirect", async (path) => {
    expect((await t.send("GET", path)).status).toBe(path.includes("me") ? 401 : 200);
    expect(t.handler.handles(path)).toBe(true);
  });

  it.each([
    "/",
    "/api",
    "/api/token//",
    "/api/token/x",
    "/api/Token",
    "//api/token/",
    "/api/auth/me/x",
    "/constructor",
  ])("%s is none of ours", async (path) => {
    expect(t.handler.handles(path)).toBe(false);
    const response = await t.send("GET", path);
    expect([response.status, await response.json()]).toEqual([404, { detail: "Not found.", code: "not_found" }]);
  });

  it("moves with the settings", async () => {
    const moved = await createTestAuth({ settings: { tokenPath: "/v1/jwt", authPath: "/v1/session" } });
    expect((await moved.send("POST", "/v1/jwt/", { body: alice })).status).toBe(200);
    expect((await moved.send("GET", "/v1/session/me")).status).toBe(401);
    expect((await moved.send("POST", "/api/token/", { body: alice })).status).toBe(404);
    await moved.close();
  });
});

describe("two endpoints", () => {
  it("with one method and path are refused when the handler is made, and not one of them forgotten", async () => {
    const common = { summary: "Echo.", errorStyle: "resource", responses: {} } as const;
    const handle = async () => toJsonResponse(200, {});
    const [one, other] = [() => "/things", () => "/things"];
    const endpoints = [one, other].map((path) => defineEndpoint({ ...common, method: "GET", path, handle }));
    await expect(createTestAuth({ endpoints })).rejects.toThrow(new TypeError("two endpoints answer GET /things"));
  });
});

describe("a method", () => {
  it.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "PROPFIND"])("%s is not allowed where POST is", async (method) => {
    for (const path of postPaths) {
      const response = await t.send(method, path);
      expect(response.status).toBe(405);
      expect(response.headers.get("Allow")).toBe("POST, OPTIONS");
      expect(await response.json()).toEqual({ detail: `Method "${method}" not allowed.` });
    }
  });

  it.each(["HEAD", "POST"])("%s is not allowed where GET is", async (method) => {
    for (const path of getPaths) {
      const response = await t.send(method, path);
      expect([response.status, response.headers.get("Allow")]).toEqual([405, "GET, OPTIONS"]);
    }
  });

  it("OPTIONS tells which are allowed", async () => {
    for (const path of bothForms(postPaths)) {
      const response = await t.send("OPTIONS", path);
      expect([response.status, response.headers.get("Allow")]).toEqual([204, "POST, OPTIONS"]);
    }
  });
});

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
  ])("has the standard headers: %s %s %j", async (method, path, body) => {
    const { headers } = await t.send(method, path, { body });
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Referrer-Policy")).toBe("same-origin");
    expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    expect(headers.get("Cross-Origin-Resource-Policy")).toBe("same-origin");
    expect([headers.get("Server"), headers.get("X-Powered-By")]).toEqual([null, null]);
  });

  it("is JSON whatever the client accepts", async () => {
    const response = await t.send("POST", "/api/token/", { body: alice, headers: { Accept: "text/html" } });
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "application/json"]);
  });
});

describe("the key set", () => {
  it("is empty for HMAC and may be cached", async () => {
    const response = await t.send("GET", "/.well-known/jwks.json");
    expect(await response.json()).toEqual({ keys: [] });
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=300");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  });
});

describe("an endpoint's path parameter", () => {
  it("comes decoded, and what cannot be decoded is nowhere", async () => {
    const echo = { path: () => "/things/{id}", summary: "Echo.", errorStyle: "resource", responses: {} } as const;
    const own = await createTestAuth({
      endpoints: [
        defineEndpoint({ ...echo, method: "GET", handle: async ({ params }) => toJsonResponse(200, params) }),
        defineEndpoint({ ...echo, method: "DELETE", handle: async () => new Response(null, { status: 204 }) }),
      ],
    });
    expect(await (await own.send("GET", "/things/a%20%C3%A9%2Fb/")).json()).toEqual({ id: "a é/b" });
    expect((await own.send("DELETE", "/things/1")).status).toBe(204);
    expect((await own.send("PUT", "/things/1")).headers.get("Allow")).toBe("GET, DELETE, OPTIONS");
    expect((await own.send("GET", "/things/%FF")).status).toBe(404);
    expect((await own.send("GET", "/things/")).status).toBe(404);
    await own.close();
  });
});

describe("a failure", () => {
  it("of the store is 503, and the session is unchanged", async () => {
    let isDown = false;
    const own = await createTestAuth({
      wrapStore: (store) => ({
        ...store,
        sessions: {
          ...store.sessions,
          rotate: async (rotation) => {
            if (isDown) throw new StoreUnavailableError("database is locked");
            return store.sessions.rotate(rotation);
          },
        },
      }),
    });
    const { refresh } = await own.logIn();
    isDown = true;
    const response = await own.send("POST", "/api/token/refresh/", { body: { refresh } });
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toMatch(/^\d+$/);
    expect(await response.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
    isDown = false;
    const again = await own.send("POST", "/api/token/refresh/", { body: { refresh } });
    expect([again.status, again.headers.get("Token-Replayed")]).toEqual([200, null]);
    await own.close();
  });

  it("of our own is a 500 without details, and is reported", async () => {
    const defect = new Error("a detail that is nobody's business");
    const own = await createTestAuth({
      endpoints: [
        defineEndpoint({
          method: "POST",
          path: () => "/broken",
          summary: "Fails.",
          errorStyle: "token",
          body: { accepts: ["application/json"], schema: z.object({}) },
          responses: {},
          handle: async () => Promise.reject(defect),
        }),
      ],
    });
    const response = await own.send("POST", "/broken", { body: {} });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ detail: "Internal server error.", code: "error" });
    expect(own.errors).toEqual([defect]);
    await own.close();
  });
});
