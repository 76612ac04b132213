import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { type OpenApiDocument, toOperations } from "./validator.ts";

let t: TestAuth;
let document: OpenApiDocument;
beforeAll(async () => {
  t = await createTestAuth();
  document = (await (await t.send("GET", "/api/schema/")).json()) as OpenApiDocument;
});
afterAll(() => t.close());

const operations = () => toOperations(document);

/** Returns the operations of the library, without those that only the server has. */
const ownOperations = () => operations().filter(({ operation }) => operation.tags === undefined);

describe("the OpenAPI document", () => {
  it("returns a document of version 3.1 with every field that OpenAPI requires", () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    for (const { path, operation } of operations()) {
      expect(path).toMatch(/^\//);
      expect(operation.summary).not.toBe("");
      expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
      for (const [status, { description }] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[1-5]\d\d$/);
        expect(description).not.toBe("");
      }
    }
  });

  it("names every parameter of a path, and only security schemes that it defines", () => {
    for (const { path, operation } of operations()) {
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      expect(inPath.every(({ required }) => required)).toBe(true);
      for (const scheme of operation.security.flatMap(Object.keys)) {
        expect(document.components.securitySchemes).toHaveProperty(scheme);
      }
    }
  });

  it("names every operation once, and for ever: generated clients call their functions so", () => {
    expect(operations().map(({ operation }) => operation.operationId)).toEqual([
      "obtainTokenPair",
      "continueTokenLogin",
      "refreshTokenPair",
      "verifyToken",
      "revokeTokenPair",
      "getCurrentUser",
      "getCsrfToken",
      "logIn",
      "continueLogin",
      "refreshCookies",
      "logOut",
      "listSessions",
      "revokeSession",
      "labelSession",
      "changePassword",
      "confirmSession",
      "followSession",
      "listActivity",
      "getJwks",
      "getServerMetadata",
      "introspectToken",
      "revokeToken",
      "checkRequest",
      "readRevocations",
      "acknowledgeRevocations",
      "getOpenApiDocument",
      "getLiveness",
      "getReadiness",
    ]);
  });

  it("names the server that returned it, with the prefix that a proxy removes", async () => {
    expect(document.servers).toEqual([{ url: "/", description: expect.any(String) }]);
    const behind = await createTestAuth({ settings: { publicPath: "/login-service" } });
    expect(await (await behind.send("GET", "/api/schema/")).json()).toMatchObject({
      servers: [{ url: "/login-service" }],
    });
    await behind.close();
  });

  it("lists JSON first among the media types of every body, because generated clients send the first", () => {
    const bodies = operations().flatMap(({ operation: { requestBody } }) => requestBody ?? []);
    expect(bodies.length).toBeGreaterThan(5);
    for (const { content } of bodies) expect(Object.keys(content)[0]).toBe("application/json");
  });

  it("describes the headers that a status has: the challenge, Allow and Retry-After", () => {
    for (const { path, operation } of operations()) {
      for (const [status, { headers }] of Object.entries(operation.responses)) {
        const name = { 401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After" }[status];
        const missing = name !== undefined && headers?.[name]?.required !== true;
        expect([path, status, missing]).toEqual([path, status, false]);
      }
      const isCatchAll = operation.operationId === "checkRequest";
      expect([path, "405" in operation.responses]).toEqual([path, !isCatchAll]);
    }
  });

  it("describes which responses set or delete cookies", () => {
    const setting = operations().flatMap(({ path, operation }) =>
      Object.entries(operation.responses).flatMap(([status, { headers = {} }]) =>
        "Set-Cookie" in headers ? [`${path} ${status}`] : [],
      ),
    );
    expect(setting).toEqual([
      "/api/auth/csrf/ 200",
      "/api/auth/login/ 200",
      "/api/auth/login/ 303",
      "/api/auth/login/continue/ 200",
      "/api/auth/refresh/ 200",
      "/api/auth/refresh/ 401",
      "/api/auth/logout/ 200",
      "/api/auth/sessions/{id}/ 204",
      "/api/auth/password/ 200",
      "/api/auth/confirm/ 204",
    ]);
  });

  it("documents only paths and methods that the handler answers", async () => {
    for (const { path, method } of ownOperations()) {
      const response = await t.send(method, path.replaceAll(/\{\w+\}/g, "x"));
      expect([path, response.status]).not.toEqual([path, 405]);
      expect(t.handler.handles(path.replaceAll(/\{\w+\}/g, "x"))).toBe(true);
    }
  });

  it("documents the status of every response to an empty request", async () => {
    for (const { path, method, operation } of ownOperations()) {
      const response = await t.send(method, path.replaceAll(/\{\w+\}/g, "x"));
      expect(Object.keys(operation.responses)).toContain(String(response.status));
    }
  });

  it("documents the paths of the HTTP contract", () => {
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        "/api/token/",
        "/api/token/continue/",
        "/api/token/refresh/",
        "/api/token/verify/",
        "/api/token/blacklist/",
        "/api/auth/me/",
        "/api/auth/csrf/",
        "/api/auth/login/",
        "/api/auth/login/continue/",
        "/api/auth/refresh/",
        "/api/auth/logout/",
        "/api/auth/sessions/",
        "/api/auth/sessions/{id}/",
        "/api/auth/password/",
        "/api/auth/confirm/",
        "/api/auth/session/events/",
        "/api/auth/activity/",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/api/token/introspect/",
        "/api/token/revoke/",
        "/api/schema/",
        "/healthz",
        "/readyz",
      ]),
    );
  });

  it("tags the endpoints that only the server has", () => {
    const marked = operations().filter(({ operation }) => operation.tags?.includes("tokenpair serve"));
    expect(marked.map(({ path }) => path)).toEqual(["/healthz", "/readyz"]);
  });

  it("describes both continuations of a login by the same refusals", () => {
    const toResponses = (path: string) => document.paths[path]?.["post"]?.responses ?? {};
    const [byToken, byCookie] = [toResponses("/api/token/continue/"), toResponses("/api/auth/login/continue/")];
    for (const status of ["400", "401", "404", "429", "503"]) expect(byToken[status]).toEqual(byCookie[status]);
    expect(byToken["200"]?.content).toEqual(toResponses("/api/token/")["200"]?.content);
    expect([byToken["403"], byToken["200"]?.headers]).not.toContainEqual(byCookie["403"]);
  });

  it("describes the body of a login as the handler reads it", () => {
    const content = document.paths["/api/token/"]?.["post"]?.requestBody?.content ?? {};
    expect(Object.keys(content)).toEqual([
      "application/json",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
    ]);
    expect(content["application/json"]?.schema).toEqual({
      type: "object",
      properties: {
        username: { type: "string", minLength: 1, description: "The user's name." },
        password: { type: "string", minLength: 1, format: "password", description: "The password." },
      },
      required: ["username", "password"],
    });
  });

  it("describes the security schemes, and which endpoint accepts which", async () => {
    expect(document.components.securitySchemes).toEqual({
      bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
      cookie: { type: "apiKey", in: "cookie", name: "__Host-Http-access" },
      refreshCookie: { type: "apiKey", in: "cookie", name: "__Secure-refresh" },
      serviceBasic: { type: "http", scheme: "basic", description: expect.any(String) },
      serviceBearer: { type: "http", scheme: "bearer", description: expect.any(String) },
    });
    for (const path of ["/api/token/introspect/", "/api/token/revoke/"]) {
      expect(document.paths[path]?.["post"]?.security).toEqual([{ serviceBasic: [] }, { serviceBearer: [] }]);
    }
    expect(document.paths["/api/auth/refresh/"]?.["post"]?.security).toEqual([{ refreshCookie: [] }]);
    expect(document.paths["/api/auth/me/"]?.["get"]?.security).toEqual([{ bearer: [] }, { cookie: [] }]);
    expect(document.paths["/api/token/"]?.["post"]?.security).toEqual([]);
  });

  it("describes the documents that caches may keep, with their media types", () => {
    for (const [path, mediaType] of [
      ["/.well-known/jwks.json", "application/jwk-set+json"],
      ["/.well-known/oauth-authorization-server", "application/json"],
    ] as const) {
      const operation = document.paths[path]?.["get"];
      expect(operation?.parameters?.map(({ name }) => name)).toEqual(["If-None-Match"]);
      expect(Object.keys(operation?.responses["200"]?.content ?? {})).toEqual([mediaType]);
      for (const status of ["200", "304"]) {
        expect(operation?.responses[status]?.headers?.["ETag"]).toMatchObject({ required: true });
      }
      expect(operation?.responses["304"]).not.toHaveProperty("content");
    }
  });

  it("describes the Token-Replayed header of both refresh endpoints", () => {
    for (const path of ["/api/token/refresh/", "/api/auth/refresh/"]) {
      expect(document.paths[path]?.["post"]?.responses["200"]?.headers).toMatchObject({
        "Token-Replayed": { description: expect.any(String), schema: { type: "string", const: "true" } },
      });
    }
  });

  it("describes every 400: invalid fields, a malformed idempotency key, a refused password", () => {
    const badRequest = (path: string) => document.paths[path]?.["post"]?.responses["400"];
    for (const path of ["/api/token/refresh/", "/api/auth/refresh/"]) {
      expect(badRequest(path)?.description).toMatch(/Idempotency-Key/);
    }
    expect(badRequest("/api/auth/password/")?.description).toMatch(/password/);
    for (const { operation } of ownOperations().filter(({ operation }) => operation.requestBody !== undefined)) {
      const schema = operation.responses["400"]?.content?.["application/json"];
      if (operation.security.some((scheme) => "serviceBasic" in scheme)) {
        const oauth = { type: "object", properties: { error: { type: "string", const: "invalid_request" } } };
        expect(schema).toMatchObject({ schema: oauth });
        continue;
      }
      const fields = { type: "object", additionalProperties: { type: "array", items: { type: "string" } } };
      const detail = { type: "object", properties: { detail: { type: "string" }, code: { type: "string" } } };
      expect(schema).toMatchObject({ schema: { anyOf: [fields, detail] } });
    }
  });

  it("uses the paths, headers and cookies of the settings", async () => {
    const names = { authHeaderName: "X-Access", csrfHeaderName: "X-XSRF-TOKEN", accessCookieName: "__Host-at" };
    const own = await createTestAuth({ settings: { tokenPath: "/v1/jwt", insecureCookies: true, ...names } });
    const moved = (await (await own.send("GET", "/api/schema/")).json()) as OpenApiDocument;
    expect(moved.paths).toHaveProperty(["/v1/jwt/refresh/"]);
    expect(moved.components.securitySchemes["bearer"]).toMatchObject({
      type: "apiKey",
      in: "header",
      name: "X-Access",
    });
    expect(moved.components.securitySchemes).toMatchObject({
      cookie: { name: "at" },
      refreshCookie: { name: "refresh" },
    });
    const parameters = moved.paths["/api/auth/login/"]?.["post"]?.parameters ?? [];
    expect(parameters.map(({ name }) => name)).toEqual(["X-XSRF-TOKEN"]);
    await own.close();
  });

  it("returns the same document for the same settings", async () => {
    const again = await createTestAuth();
    expect(await (await again.send("GET", "/api/schema/")).text()).toBe(
      await (await t.send("GET", "/api/schema/")).text(),
    );
    await again.close();
  });
});
