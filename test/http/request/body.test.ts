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

/** A request whose body arrives in pieces and announces no length. */
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

describe("a body", () => {
  it("may be JSON, form-encoded or multipart", async () => {
    const form = new FormData();
    form.set("username", alice.username);
    form.set("password", alice.password);
    const multipart = new Request("https://auth.example/api/token/", { method: "POST", body: form });
    expect((await obtain(JSON.stringify(alice), json)).status).toBe(200);
    expect((await obtain(new URLSearchParams(alice).toString(), formEncoded)).status).toBe(200);
    expect((await t.handler.fetch(multipart)).status).toBe(200);
  });

  it.each(["application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="latin-1"'])(
    "may be called %s",
    async (contentType) => {
      expect((await obtain(JSON.stringify(alice), { "Content-Type": contentType })).status).toBe(200);
    },
  );

  it("that is empty is an empty object, whatever it is called", async () => {
    for (const headers of [{}, json, { "Content-Type": "text/plain" }, { "Content-Type": "multipart/form-data" }]) {
      const response = await obtain(undefined, headers);
      expect([response.status, await response.json()]).toEqual([400, bothRequired]);
      const streamed = await stream([], headers).response;
      expect([streamed.status, await streamed.json()]).toEqual([400, bothRequired]);
    }
  });

  it.each(["text/plain", "text/html; charset=utf-8", "application/jsonp", "application/xml", ""])(
    "of the media type %j is refused",
    async (contentType) => {
      const response = await stream([Buffer.from("{}")], { "Content-Type": contentType }).response;
      const detail = `Unsupported media type "${contentType}" in request.`;
      expect([response.status, await response.json()]).toEqual([415, { detail }]);
    },
  );

  it.each([
    ["no JSON", "{", "invalid JSON"],
    ["only white space", "  ", "invalid JSON"],
    ["more than JSON", "{} {}", "invalid JSON"],
    ["a number that JSON does not have", '{"username": NaN}', "invalid JSON"],
    ["deeply nested", `${"[".repeat(8_000)}${"]".repeat(8_000)}`, "nested too deeply"],
    ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22]), "invalid UTF-8"],
  ])("that is %s is refused", async (_, body, reason) => {
    const response = await obtain(body, json);
    expect([response.status, await response.json()]).toEqual([400, { detail: `JSON parse error - ${reason}` }]);
  });

  it("never comes back in the message about it", async () => {
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
  ])("%s is no dictionary but a %s", async (body, type) => {
    const response = await obtain(body, json);
    const message = `Invalid data. Expected a dictionary, but got ${type}.`;
    expect([response.status, await response.json()]).toEqual([400, { non_field_errors: [message] }]);
  });

  it("null is no data", async () => {
    const response = await obtain("null", json);
    expect([response.status, await response.json()]).toEqual([400, { non_field_errors: ["No data provided"] }]);
  });

  it("may have two members with one name: the last counts", async () => {
    const { username, password } = alice;
    const twice = `{"username": 1, "username": "${username}", "password": "wrong", "password": "${password}"}`;
    expect((await obtain(twice, json)).status).toBe(200);
    const form = `username=x&username=${username}&password=x&password=${encodeURIComponent(password)}`;
    expect((await obtain(form, formEncoded)).status).toBe(200);
  });

  it("may have fields that nobody knows", async () => {
    const more = `{"__proto__": {"username": 1}, "x": [1], ${JSON.stringify(alice).slice(1)}`;
    expect((await obtain(more, json)).status).toBe(200);
  });

  it.each([
    ["no boundary", "multipart/form-data", "x"],
    ["another boundary", "multipart/form-data; boundary=a", "--b\r\n\r\n--b--"],
    ["no end", "multipart/form-data; boundary=a", '--a\r\nContent-Disposition: form-data; name="username"\r\n\r\nx'],
    ["a part without headers", "multipart/form-data; boundary=a", "--a\r\n\r\nx\r\n--a--"],
  ])("in multipart with %s is refused", async (_, contentType, body) => {
    const response = await obtain(body, { "Content-Type": contentType });
    const detail = "Multipart form parse error - invalid multipart";
    expect([response.status, await response.json()]).toEqual([400, { detail }]);
  });

  it("cannot have a file for a field", async () => {
    const form = new FormData();
    form.set("username", new Blob(["alice"]), "name.txt");
    form.set("password", alice.password);
    const request = new Request("https://auth.example/api/token/", { method: "POST", body: form });
    const response = await t.handler.fetch(request);
    expect([response.status, await response.json()]).toEqual([400, { username: ["Not a valid string."] }]);
  });

  it("may have 16 KiB and no more, announced or not", async () => {
    const tooLarge = [413, { detail: "Request body is too large.", code: "too_large" }];
    const text = JSON.stringify(alice).padEnd(16_384);
    expect((await obtain(text, json)).status).toBe(200);
    const announced = await obtain(`${text} `, json);
    expect([announced.status, await announced.json()]).toEqual(tooLarge);
    const streamed = await stream([Buffer.from(text), Buffer.from(" ")]).response;
    expect([streamed.status, await streamed.json()]).toEqual(tooLarge);
  });

  it("is refused by its announced length before it is read", async () => {
    const { response, remaining } = stream([Buffer.from("{}"), Buffer.from(" ")], {
      ...json,
      "Content-Length": "99999",
    });
    expect((await response).status).toBe(413);
    expect(remaining.length).toBeGreaterThan(0);
  });

  it("is not read further once it is too large", async () => {
    const piece = Buffer.alloc(10_000, " ");
    const { response, remaining } = stream(Array.from({ length: 20 }, () => piece));
    expect((await response).status).toBe(413);
    expect(remaining.length).toBeGreaterThan(10);
  });

  it("that breaks off is the client's fault", async () => {
    const response = await stream([Buffer.from("{"), new Error("connection reset")]).response;
    expect(response.status).toBe(400);
    expect(t.errors).toEqual([]);
  });
});

const formEncoded = { "Content-Type": "application/x-www-form-urlencoded" };
