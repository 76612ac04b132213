import { describe, expect, it } from "vitest";
import { createApp, type Handler, type RequestRecord } from "../../../src/server/handlers/app.ts";

const answer = (path: string, text: string): Handler => ({
  handles: (pathname) => pathname === path,
  fetch: async () => new Response(text),
});

function start(handlers: readonly Handler[], fallback: Handler) {
  const records: RequestRecord[] = [];
  const errors: unknown[] = [];
  let now = 0;
  const app = createApp({
    handlers,
    fallback,
    clock: { monotonic: () => (now += 7) },
    strictTransportSecurity: 0,
    findClientIp: (_, connection) => connection?.ip,
    onAnswered: (record) => void records.push(record),
    onError: (error) => void errors.push(error),
  });
  return { app, records, errors };
}

const at = (path: string) =>
  new Request(`http://localhost${path}?token=planted`, { headers: { "User-Agent": "Firefox" } });

describe("createApp", () => {
  it("gives a request to the first handler of its path, and every other request to the fallback", async () => {
    const { app } = start([answer("/a", "first"), answer("/a", "second")], answer("/", "fallback"));
    expect(await (await app(at("/a"))).text()).toBe("first");
    expect(await (await app(at("/b"))).text()).toBe("fallback");
  });

  it("reports every answer with the id of its response, but without the query", async () => {
    const { app, records } = start([], answer("/", "done"));
    const response = await app(at("/a"), { ip: "192.0.2.7" });
    const id = response.headers.get("X-Request-Id");
    const request = { method: "GET", path: "/a", ip: "192.0.2.7", userAgent: "Firefox" };
    expect(records).toEqual([{ ...request, id, status: 200, milliseconds: 7 }]);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("answers 500 without details if a handler rejects, and reports the error", async () => {
    const error = new Error("planted-secret");
    const failing = { ...answer("/a", ""), fetch: () => Promise.reject(error) };
    const { app, errors, records } = start([failing], answer("/", "fallback"));
    const response = await app(at("/a"));
    expect(response.status).toBe(500);
    expect(response.headers.get("X-Request-Id")).toBe(records[0]?.id);
    expect(await response.json()).toEqual({ detail: "Internal server error.", code: "error" });
    expect(errors).toEqual([error]);
  });
});
