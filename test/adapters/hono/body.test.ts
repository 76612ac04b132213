import { Hono, type MiddlewareHandler } from "hono";
import { expect, it } from "vitest";
import { authRoutes } from "../../../src/adapters/hono/index.ts";
import { createScriptAuth, credentials } from "../http-script.ts";

const json = { headers: { "Content-Type": "application/json" }, body: JSON.stringify(credentials) };
const form = {
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(credentials).toString(),
};

/** Sends a login to an application whose middleware reads the body. */
async function logIn(read: (c: Parameters<MiddlewareHandler>[0]) => Promise<unknown>, request: typeof json) {
  const { auth, close } = await createScriptAuth();
  const errors: string[] = [];
  const app = new Hono()
    .use(async (c, next) => {
      await read(c);
      await next();
    })
    .use(authRoutes(auth))
    .onError((error, c) => {
      errors.push(error.message);
      return c.text("handled", 500);
    });
  const { status } = await app.request("/api/token/", { method: "POST", ...request });
  await close();
  return { status, errors };
}

it.each<[string, Parameters<typeof logIn>[0], typeof json]>([
  ["JSON with c.req.json()", (c) => c.req.json(), json],
  ["JSON with c.req.text()", (c) => c.req.text(), json],
  ["JSON with c.req.arrayBuffer()", (c) => c.req.arrayBuffer(), json],
  ["JSON with c.req.blob()", (c) => c.req.blob(), json],
  ["a form with c.req.parseBody()", (c) => c.req.parseBody(), form],
  ["a form with c.req.formData()", (c) => c.req.formData(), form],
  ["a form with c.req.text()", (c) => c.req.text(), form],
])("accepts a login after a middleware of Hono has read %s", async (_, read, request) => {
  expect(await logIn(read, request)).toEqual({ status: 200, errors: [] });
});

it("says what to do if a middleware has read the body through c.req.raw", async () => {
  const { status, errors } = await logIn((c) => c.req.raw.text(), json);
  expect([status, errors]).toEqual([500, [expect.stringContaining("Read it through c.req")]]);
});

it.each<[string, Parameters<typeof logIn>[0], string]>([
  ["c.req.json()", (c) => c.req.json(), "application/json"],
  ["c.req.parseBody()", (c) => c.req.parseBody(), "multipart/form-data; boundary=x"],
])("refuses a body that %s could not parse, instead of failing", async (_, read, type) => {
  const request = { headers: { "Content-Type": type }, body: "{" };
  const { status, errors } = await logIn((c) => read(c).catch(() => undefined), request);
  expect([Math.floor(status / 100), errors]).toEqual([4, []]);
});
