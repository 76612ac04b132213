import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { defineEndpoint } from "../../src/http/endpoint.ts";
import { createHttpHandler } from "../../src/http/router.ts";
import { alice, createTestAuth, type TestAuth, withSessions } from "../support/auth.ts";
import { bothForms, getPaths, postPaths, servicePaths } from "./paths.ts";

let t: TestAuth;
beforeAll(async () => {
  t = await createTestAuth();
});
afterAll(() => t.close());

describe("a method", () => {
  it.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "PROPFIND"])(
    "answers 405 with Allow to %s on a path that only answers POST",
    async (method) => {
      for (const path of [...postPaths, ...servicePaths]) {
        const response = await t.send(method, path);
        expect(response.status).toBe(405);
        expect(response.headers.get("Allow")).toBe("POST, OPTIONS");
        const body = JSON.stringify({ detail: `Method "${method}" not allowed.` });
        expect(await response.text()).toBe(method === "HEAD" ? "" : body);
      }
    },
  );

  it("answers 405 with Allow to POST on a path that only answers GET", async () => {
    for (const path of getPaths) {
      const response = await t.send("POST", path);
      expect([response.status, response.headers.get("Allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    }
  });

  it("answers HEAD as it answers GET, but without the body, on every path that answers GET", async () => {
    const { access } = await t.logIn();
    const headers = { Authorization: `Bearer ${access}` };
    for (const path of bothForms([...getPaths, "/api/auth/csrf", "/api/auth/sessions"])) {
      for (const options of [{}, { headers }]) {
        const [get, head] = [await t.send("GET", path, options), await t.send("HEAD", path, options)];
        expect([path, head.status, await head.text()]).toEqual([path, get.status, ""]);
        expect([...head.headers.keys()]).toEqual([...get.headers.keys()]);
      }
    }
  });

  it("answers OPTIONS with the allowed methods", async () => {
    for (const path of bothForms([...postPaths, ...servicePaths])) {
      const response = await t.send("OPTIONS", path);
      expect([response.status, response.headers.get("Allow")]).toEqual([204, "POST, OPTIONS"]);
    }
  });
});

describe("a request", () => {
  it("is refused with 400 if it has two Host headers", async () => {
    const headers = new Headers({ Host: "auth.example" });
    expect((await t.send("GET", "/api/schema/", { headers })).status).toBe(200);
    headers.append("Host", "evil.example");
    const response = await t.send("GET", "/api/schema/", { headers });
    expect([response.status, await response.json()]).toEqual([400, { detail: "Bad request.", code: "bad_request" }]);
  });
});

describe("a failure", () => {
  it("answers 503 if the store fails, and leaves the session unchanged", async () => {
    let isDown = false;
    const own = await createTestAuth({
      wrapStore: (store) =>
        withSessions(store, (sessions) => ({
          rotate: async (rotation) => {
            if (isDown) throw new StoreUnavailableError("database is locked");
            return sessions.rotate(rotation);
          },
        })),
    });
    const { refresh } = await own.logIn();
    isDown = true;
    const response = await own.send("POST", "/api/token/refresh/", { body: { refresh } });
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toMatch(/^\d+$/);
    expect(await response.json()).toEqual({ detail: "Service temporarily unavailable.", code: "unavailable" });
    // The operator learns the cause, the client doesn't.
    expect(own.errors).toEqual([new StoreUnavailableError("database is locked")]);
    isDown = false;
    const again = await own.send("POST", "/api/token/refresh/", { body: { refresh } });
    expect([again.status, again.headers.get("Token-Replayed")]).toEqual([200, null]);
    await own.close();
  });

  it("passes every error to onError that a client sees as a 503: a stale node's, and one of the application's hook", async () => {
    const own = await createTestAuth({
      settings: {
        onLoginSuccess: () => Promise.reject(new Error("the hook's own")),
        maxStaleness: 5,
        onStale: "refuse",
      },
    });
    expect((await own.send("POST", "/api/token/", { body: alice })).status).toBe(503);
    const { pair } = await own.deps.flows.issue(own.user.id);
    own.goStale();
    const headers = { Authorization: `Bearer ${pair.access}` };
    expect((await own.send("GET", "/api/auth/me/", { headers })).status).toBe(503);
    expect(own.handler.refuse(new StoreUnavailableError("the disk is full")).status).toBe(503);
    expect(own.errors.map(String)).toEqual([
      "AuthError: unavailable: onLoginSuccess failed",
      "AuthError: unavailable: revocations are not loaded or too stale",
      "StoreUnavailableError: the disk is full",
    ]);
    await own.close();
  });

  it("answers 503 even if onError throws", async () => {
    const handler = createHttpHandler(t.deps, {
      onError() {
        throw new Error("broken");
      },
    });
    expect(handler.refuse(new StoreUnavailableError("the disk is full")).status).toBe(503);
  });

  it("answers 500 without details to an unexpected error, and passes the error to onError", async () => {
    const defect = new Error("a private detail");
    const own = await createTestAuth({
      endpoints: [
        defineEndpoint({
          method: "POST",
          path: () => "/broken",
          operationId: "fail",
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
