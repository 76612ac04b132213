import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

let t: TestAuth;
beforeAll(async () => {
  t = await createTestAuth();
});
afterAll(() => t.close());

const json = { "Content-Type": "application/json" };
const required = ["This field is required."];
const bothRequired = { username: required, password: required };

function obtain(body: BodyInit | undefined, headers: Record<string, string> = {}) {
  return t.send("POST", "/api/token/", { body, headers });
}

/** Sends a request whose body arrives in pieces, without Content-Length. */
function stream(pieces: readonly (Uint8Array | Error)[], headers: Record<string, string> = json) {
  const rest = [...pieces];
  const body = new ReadableStream({
    pull(controller) {
      const piece = rest.shift();
      if (piece === undefined) controller.close();
      else if (piece instanceof Error) controller.error(piece);
      else controller.enqueue(piece);
    },
  });
  const init = { method: "POST", headers, body, duplex: "half" };
  return { remaining: rest, response: t.handler.fetch(new Request("https://auth.example/api/token/", init)) };
}

describe("a request's body", () => {
  it("accepts JSON, form-encoded and multipart bodies", async () => {
    const form = new FormData();
    form.set("username", alice.username);
    form.set("password", alice.password);
    const multipart = new Request("https://auth.example/api/token/", { method: "POST", body: form });
    expect((await obtain(JSON.stringify(alice), json)).status).toBe(200);
    expect((await obtain(new URLSearchParams(alice).toString(), formEncoded)).status).toBe(200);
    expect((await t.handler.fetch(multipart)).status).toBe(200);
  });

  it.each(["application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="latin-1"'])(
    "accepts JSON with the Content-Type %s",
    async (contentType) => {
      expect((await obtain(JSON.stringify(alice), { "Content-Type": contentType })).status).toBe(200);
    },
  );

  it("reads an empty body as an empty object, whatever its Content-Type", async () => {
    for (const headers of [{}, json, { "Content-Type": "text/plain" }, { "Content-Type": "multipart/form-data" }]) {
      const response = await obtain(undefined, headers);
      expect([response.status, await response.json()]).toEqual([400, bothRequired]);
      const streamed = await stream([], headers).response;
      expect([streamed.status, await streamed.json()]).toEqual([400, bothRequired]);
    }
  });

  it.each(["text/plain", "text/html; charset=utf-8", "application/jsonp", "application/xml", ""])(
    "answers 415 to a body with the Content-Type %j",
    async (contentType) => {
      const response = await stream([Buffer.from("{}")], { "Content-Type": contentType }).response;
      const detail = `Unsupported media type "${contentType}" in request.`;
      expect([response.status, await response.json()]).toEqual([415, { detail }]);
    },
  );

  it.each([
    ["not JSON", "{", "invalid JSON"],
    ["only white space", "  ", "invalid JSON"],
    ["two JSON texts", "{} {}", "invalid JSON"],
    ["a number that is not in JSON", '{"username": NaN}', "invalid JSON"],
    ["deeply nested", `${"[".repeat(8_000)}${"]".repeat(8_000)}`, "nested too deeply"],
    ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22]), "invalid UTF-8"],
  ])("answers 400 to a JSON body that is %s", async (_, body, reason) => {
    const response = await obtain(body, json);
    expect([response.status, await response.json()]).toEqual([400, { detail: `JSON parse error - ${reason}` }]);
  });

  it("never quotes a malformed body in its error message", async () => {
    const response = await obtain(`{"username": "alice", "password": "${alice.password}" x}`, json);
    expect(await response.text()).not.toContain("horse");
  });

  it.each([
    ["[]", "list"],
    ['[{"username": "alice"}]', "list"],
    ['"text"', "str"],
    ["1", "int"],
    ["-12345678901234567890", "int"],
    ["1.0", "float"],
    ["1e3", "float"],
    ["true", "bool"],
    ["false", "bool"],
  ])("answers 400 to the JSON body %s, which is a %s and not an object", async (body, type) => {
    const response = await obtain(body, json);
    const message = `Invalid data. Expected a dictionary, but got ${type}.`;
    expect([response.status, await response.json()]).toEqual([400, { non_field_errors: [message] }]);
  });

  it("answers 400 to the JSON body null", async () => {
    const response = await obtain("null", json);
    expect([response.status, await response.json()]).toEqual([400, { non_field_errors: ["No data provided"] }]);
  });

  it("uses the last of two members with the same name", async () => {
    const { username, password } = alice;
    const twice = `{"username": 1, "username": "${username}", "password": "wrong", "password": "${password}"}`;
    expect((await obtain(twice, json)).status).toBe(200);
    const form = `username=x&username=${username}&password=x&password=${encodeURIComponent(password)}`;
    expect((await obtain(form, formEncoded)).status).toBe(200);
  });

  it("ignores unknown fields, __proto__ too", async () => {
    const more = `{"__proto__": {"username": 1}, "x": [1], ${JSON.stringify(alice).slice(1)}`;
    expect((await obtain(more, json)).status).toBe(200);
  });

  it.each([
    ["no boundary", "multipart/form-data", "x"],
    ["another boundary", "multipart/form-data; boundary=a", "--b\r\n\r\n--b--"],
    ["no end", "multipart/form-data; boundary=a", '--a\r\nContent-Disposition: form-data; name="username"\r\n\r\nx'],
    ["a part without headers", "multipart/form-data; boundary=a", "--a\r\n\r\nx\r\n--a--"],
  ])("answers 400 to a multipart body with %s", async (_, contentType, body) => {
    const response = await obtain(body, { "Content-Type": contentType });
    const detail = "Multipart form parse error - invalid multipart";
    expect([response.status, await response.json()]).toEqual([400, { detail }]);
  });

  it("answers 400 to a file in a text field", async () => {
    const form = new FormData();
    form.set("username", new Blob(["alice"]), "name.txt");
    form.set("password", alice.password);
    const request = new Request("https://auth.example/api/token/", { method: "POST", body: form });
    const response = await t.handler.fetch(request);
    expect([response.status, await response.json()]).toEqual([400, { username: ["Not a valid string."] }]);
  });

  it("accepts 16 KiB and answers 413 to more, with Content-Length or without", async () => {
    const tooLarge = [413, { detail: "Request body is too large.", code: "too_large" }];
    const text = JSON.stringify(alice).padEnd(16_384);
    expect((await obtain(text, json)).status).toBe(200);
    const declared = await obtain(`${text} `, json);
    expect([declared.status, await declared.json()]).toEqual(tooLarge);
    const streamed = await stream([Buffer.from(text), Buffer.from(" ")]).response;
    expect([streamed.status, await streamed.json()]).toEqual(tooLarge);
  });

  it("answers 413 by Content-Length before it reads the body", async () => {
    const { response, remaining } = stream([Buffer.from("{}"), Buffer.from(" ")], {
      ...json,
      "Content-Length": "99999",
    });
    expect((await response).status).toBe(413);
    expect(remaining.length).toBeGreaterThan(0);
  });

  it("stops reading a body once it is too large", async () => {
    const piece = Buffer.alloc(10_000, " ");
    const { response, remaining } = stream(Array.from({ length: 20 }, () => piece));
    expect((await response).status).toBe(413);
    expect(remaining.length).toBeGreaterThan(10);
  });

  it("answers 400 if the connection breaks off within the body", async () => {
    const response = await stream([Buffer.from("{"), new Error("connection reset")]).response;
    expect(response.status).toBe(400);
    expect(t.errors).toEqual([]);
  });
});

const formEncoded = { "Content-Type": "application/x-www-form-urlencoded" };
