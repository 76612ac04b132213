import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defineEndpoint } from "../../src/http/endpoint.ts";
import { toJsonResponse } from "../../src/http/response/json.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { bothForms, getPaths, postPaths, servicePaths } from "./paths.ts";

let t: TestAuth;
beforeAll(async () => {
  t = await createTestAuth();
});
afterAll(() => t.close());

describe("a path", () => {
  it.each(bothForms(postPaths))("answers POST %s without a redirect", async (path) => {
    expect((await t.send("POST", path, { body: {} })).status).toBe(400);
    expect(t.handler.handles(path)).toBe(true);
  });

  it.each(bothForms(servicePaths))("answers POST %s without a redirect, and asks for a credential", async (path) => {
    expect((await t.send("POST", path, { body: {} })).status).toBe(401);
    expect(t.handler.handles(path)).toBe(true);
  });

  it.each(bothForms(getPaths))("answers GET %s without a redirect", async (path) => {
    expect((await t.send("GET", path)).status).toBe(path.startsWith("/api/auth/") ? 401 : 200);
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
  ])("answers 404 to the unknown path %s", async (path) => {
    expect(t.handler.handles(path)).toBe(false);
    const response = await t.send("GET", path);
    expect([response.status, await response.json()]).toEqual([404, { detail: "Not found.", code: "not_found" }]);
  });

  it("moves all paths with the settings tokenPath and authPath", async () => {
    const moved = await createTestAuth({ settings: { tokenPath: "/v1/jwt", authPath: "/v1/session" } });
    expect((await moved.send("POST", "/v1/jwt/", { body: alice })).status).toBe(200);
    expect((await moved.send("GET", "/v1/session/me")).status).toBe(401);
    expect((await moved.send("POST", "/api/token/", { body: alice })).status).toBe(404);
    await moved.close();
  });
});

describe("a list of endpoints", () => {
  it("refuses two endpoints with the same method and path when the handler is created", async () => {
    const common = { operationId: "echo", summary: "Echo.", errorStyle: "resource", responses: {} } as const;
    const handle = async () => toJsonResponse(200, {});
    const [one, other] = [() => "/things", () => "/things"];
    const endpoints = [one, other].map((path) => defineEndpoint({ ...common, method: "GET", path, handle }));
    await expect(createTestAuth({ endpoints })).rejects.toThrow(new TypeError("two endpoints answer GET /things"));
  });

  it("passes an endpoint its path parameters decoded, and answers 404 to one that can't be decoded", async () => {
    const echo = {
      path: () => "/things/{id}",
      operationId: "echo",
      summary: "Echo.",
      errorStyle: "resource",
      responses: {},
    } as const;
    const own = await createTestAuth({
      endpoints: [
        defineEndpoint({ ...echo, method: "GET", handle: async ({ params }) => toJsonResponse(200, params) }),
        defineEndpoint({ ...echo, method: "DELETE", handle: async () => new Response(null, { status: 204 }) }),
      ],
    });
    expect(await (await own.send("GET", "/things/a%20%C3%A9%2Fb/")).json()).toEqual({ id: "a é/b" });
    expect((await own.send("DELETE", "/things/1")).status).toBe(204);
    expect((await own.send("PUT", "/things/1")).headers.get("Allow")).toBe("GET, HEAD, DELETE, OPTIONS");
    expect((await own.send("GET", "/things/%FF")).status).toBe(404);
    expect((await own.send("GET", "/things/")).status).toBe(404);
    await own.close();
  });
});
