import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { defineEndpoint } from "../../src/http/endpoint.ts";
import { createTestAuth, type TestAuth, withSessions } from "../support/auth.ts";
import { bothForms, getPaths, postPaths } from "./paths.ts";

let t: TestAuth;
beforeAll(async () => {
  t = await createTestAuth();
});
afterAll(() => t.close());

describe("a method", () => {
  it.each(["GET", "HEAD", "PUT", "PATCH", "DELETE", "PROPFIND"])(
    "answers 405 with Allow to %s on a path that only answers POST",
    async (method) => {
      for (const path of postPaths) {
        const response = await t.send(method, path);
        expect(response.status).toBe(405);
        expect(response.headers.get("Allow")).toBe("POST, OPTIONS");
        expect(await response.json()).toEqual({ detail: `Method "${method}" not allowed.` });
      }
    },
  );

  it.each(["HEAD", "POST"])("answers 405 with Allow to %s on a path that only answers GET", async (method) => {
    for (const path of getPaths) {
      const response = await t.send(method, path);
      expect([response.status, response.headers.get("Allow")]).toEqual([405, "GET, OPTIONS"]);
    }
  });

  it("answers OPTIONS with the allowed methods", async () => {
    for (const path of bothForms(postPaths)) {
      const response = await t.send("OPTIONS", path);
      expect([response.status, response.headers.get("Allow")]).toEqual([204, "POST, OPTIONS"]);
    }
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
    isDown = false;
    const again = await own.send("POST", "/api/token/refresh/", { body: { refresh } });
    expect([again.status, again.headers.get("Token-Replayed")]).toEqual([200, null]);
    await own.close();
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
