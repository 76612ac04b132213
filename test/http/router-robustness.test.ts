import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestAuth, type TestAuth } from "../support/auth.ts";

let t: TestAuth;
let tokens: { readonly access: string; readonly refresh: string };
beforeAll(async () => {
  t = await createTestAuth();
  tokens = await t.logIn();
});
afterAll(() => t.close());

const paths = [
  "/api/token/",
  "/api/token/continue/",
  "/api/token/refresh",
  "/api/token/verify/",
  "/api/token/blacklist/",
  "/api/auth/me/",
  "/api/auth/csrf/",
  "/api/auth/login/",
  "/api/auth/login/continue/",
  "/api/auth/refresh/",
  "/api/auth/logout/",
  "/api/auth/sessions/",
  "/api/auth/sessions/x/",
  "/api/auth/password/",
  "/api/auth/confirm/",
  "/api/auth/session/events/",
  "/api/auth/activity/",
  "/api/schema/",
  "/.well-known/jwks.json",
  "/.well-known/oauth-authorization-server",
  "/api/token/introspect/",
  "/api/token/revoke/",
  "/api/auth/check/",
  "/api/auth/check/x",
  "/api/auth/revocations/",
];

const headerText = fc
  .array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 60 })
  .map((codes) => String.fromCharCode(...codes.filter((code) => code !== 0x7f)));

const contentType = fc.oneof(
  fc.constantFrom(
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    'multipart/form-data; boundary="',
  ),
  headerText,
);

const fieldNames = [
  "username",
  "password",
  "refresh",
  "token",
  "remember",
  "scope",
  "label",
  "current_password",
  "new_password",
];

const fieldValue = fc.oneof(fc.jsonValue(), fc.string({ unit: "binary" }), fc.constant("\ud800"));

const fields = fc
  .record(Object.fromEntries(fieldNames.map((name) => [name, fieldValue])), { requiredKeys: [] })
  .map((values) => JSON.stringify(values));

const bodyText = fc.oneof(
  fc.json(),
  fc.string({ unit: "binary" }),
  fields,
  fc
    .tuple(fc.constantFrom("username", "token", ""), fc.string())
    .map(([name, value]) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--x--\r\n`),
);

const body = fc.oneof(
  bodyText.map((text) => new TextEncoder().encode(text)),
  fc.uint8Array({ maxLength: 200 }),
);

const method = fc.constantFrom("GET", "POST", "PATCH", "DELETE", "OPTIONS");

const headers = fc.record(
  {
    "Content-Type": contentType,
    Authorization: fc.oneof(
      headerText,
      headerText.map((text) => `Bearer ${text}`),
    ),
    "Idempotency-Key": headerText,
    "Content-Length": headerText,
    Cookie: headerText,
    Origin: headerText,
    Host: headerText,
    "Sec-Fetch-Site": headerText,
    "User-Agent": headerText,
  },
  { requiredKeys: [] },
);

/** Returns the status of the response. Fails if there was an unexpected error. */
async function statusOf(request: Request): Promise<number> {
  const response = await t.handler.fetch(request);
  // A stream of events has no end.
  if (response.headers.get("Content-Type")?.startsWith("text/event-stream")) await response.body?.cancel();
  else await response.text();
  expect(t.errors).toEqual([]);
  return response.status;
}

describe("a random request", () => {
  it("answers random methods, headers and bodies, and never with a 500", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), method, headers, body, async (path, method, headers, bytes) => {
        const init: RequestInit = { method, headers, ...(method === "GET" ? {} : { body: bytes.slice() }) };
        expect(await statusOf(new Request(`https://auth.example${path}`, init))).toBeLessThan(500);
      }),
      { numRuns: 1_000 },
    );
  });

  it("answers random fields with a valid bearer token, and never with a 500", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), method, fields, async (path, method, json) => {
        const headers = { "Content-Type": "application/json", Authorization: `Bearer ${tokens.access}` };
        const init: RequestInit = { method, headers, ...(method === "GET" ? {} : { body: json }) };
        expect(await statusOf(new Request(`https://auth.example${path}`, init))).toBeLessThan(500);
      }),
      { numRuns: 1_000 },
    );
  });

  it("answers random pathnames, and never with a 500", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.string({ unit: "binary", maxLength: 30 }), async (path, tail) => {
        const url = new URL("https://auth.example");
        url.pathname = `${path}${tail}`;
        expect(await statusOf(new Request(url))).toBeLessThan(500);
        expect(typeof t.handler.handles(tail)).toBe("boolean");
      }),
      { numRuns: 300 },
    );
  });

  it("answers 401 to a genuine access token with one changed character", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 0x21, max: 0x7e }), async (position, code) => {
        const { access } = tokens;
        const at = position % access.length;
        const changed = `${access.slice(0, at)}${String.fromCharCode(code)}${access.slice(at + 1)}`;
        fc.pre(changed !== access);
        const Authorization = `Bearer ${changed}`;
        const request = new Request("https://auth.example/api/auth/me/", { headers: { Authorization } });
        expect(await statusOf(request)).toBe(401);
      }),
      { numRuns: 300 },
    );
  });
});
