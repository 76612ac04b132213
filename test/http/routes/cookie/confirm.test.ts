import { afterEach, describe, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth, type TestAuthOptions, testStart } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";
import { expectThrottled, sendFrom } from "../../guesses.ts";

let auth: TestAuth;
let browser: Browser;

async function start(options: TestAuthOptions = {}, login: { readonly remember?: boolean } = {}): Promise<void> {
  auth = await createTestAuth({ ...options, settings: { maxStaleness: 3_600, ...options.settings } });
  browser = createBrowser({ send: sendFrom(auth, "203.0.113.9") });
  await browser.logIn(login);
}
afterEach(() => auth.close());

const confirm = (password: string = alice.password, headers?: Record<string, string | null>) =>
  browser.post("/api/auth/confirm/", { password }, headers);

const accessClaims = () => auth.deps.tokens.verifyAccess(browser.cookie("__Host-Http-access") ?? "");

describe("a confirmation by cookie", () => {
  it("answers 204 with an access cookie that says when the user was authenticated, and keeps the other cookies", async () => {
    await start();
    const before = ["__Secure-refresh", "__Host-csrftoken"].map(browser.cookie);
    auth.clock.advance(600);
    const response = await confirm();
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-Http-access=\S+; Max-Age=1800; Path=\/; Secure; HttpOnly; SameSite=Lax$/),
    ]);
    expect(accessClaims()).toMatchObject({ authTime: testStart + 600, amr: ["pwd"] });
    expect(["__Secure-refresh", "__Host-csrftoken"].map(browser.cookie)).toEqual(before);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    expect(accessClaims()).toMatchObject({ authTime: testStart + 600 });
  });

  it("sets an access cookie without Max-Age if the session is not remembered", async () => {
    await start({}, { remember: false });
    expect((await confirm()).headers.getSetCookie().join()).not.toContain("Max-Age");
  });

  it("can be repeated after its answer was lost", async () => {
    await start();
    expect([(await confirm()).status, (await confirm()).status]).toEqual([204, 204]);
  });

  it("refuses a wrong password, sets no cookie, and leaves the session as it is", async () => {
    await start();
    auth.clock.advance(600);
    const response = await confirm("wrong");
    expect([response.status, await response.json()]).toEqual([400, { password: ["Invalid password."] }]);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect((await browser.get("/api/auth/me/")).status).toBe(200);
    await browser.post("/api/auth/refresh/");
    expect(accessClaims()).toMatchObject({ authTime: testStart });
  });

  it("counts wrong passwords as failed logins of a known device, and then throttles", async () => {
    await start();
    for (let n = 0; n < 5; n++) expect((await confirm("wrong")).status).toBe(400);
    await expectThrottled(await confirm(), 5);
    auth.clock.advance(5);
    expect((await confirm()).status).toBe(204);
    // The right password has cleared the count.
    for (let n = 0; n < 5; n++) expect((await confirm("wrong")).status).toBe(400);
  });

  it.each([
    ["without the CSRF token", { "X-CSRFToken": null }, 403],
    ["from another site", { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }, 403],
    ["without cookies", { Cookie: null }, 401],
  ])("is refused %s", async (_, headers, status) => {
    await start();
    expect((await confirm(undefined, headers)).status).toBe(status);
  });

  it("is refused as a form, which a page of another site can send", async () => {
    await start();
    const body = new URLSearchParams({ password: alice.password }).toString();
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const other = createBrowser(auth);
    await other.logIn();
    expect((await other.post("/api/auth/confirm/", body, headers)).status).toBe(415);
  });

  it("is refused after a logout", async () => {
    await start();
    const access = browser.cookie("__Host-Http-access") ?? "";
    const csrf = browser.cookie("__Host-csrftoken") ?? "";
    await browser.post("/api/auth/logout/");
    browser.setCookie("__Host-Http-access", access);
    browser.setCookie("__Host-csrftoken", csrf);
    const response = await confirm();
    expect([response.status, response.headers.has("Session-Ended")]).toEqual([401, false]);
  });

  it("leaves everything as it is if the new token would be too long for its cookie", async () => {
    let length = 10;
    await start({ settings: { claims: () => ({ roles: "r".repeat(length) }) } });
    length = 3_200;
    auth.clock.advance(60);
    expect((await confirm()).status).toBe(503);
    length = 10;
    await browser.post("/api/auth/refresh/");
    expect(accessClaims()).toMatchObject({ authTime: testStart });
  });
});

describe("a confirmation by bearer token", () => {
  it("answers 200 with a new access token, and needs no CSRF token", async () => {
    await start();
    const { access } = await auth.logIn();
    auth.clock.advance(60);
    const headers = { Authorization: `Bearer ${access}` };
    const response = await auth.send("POST", "/api/auth/confirm", { headers, body: { password: alice.password } });
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []]);
    const body = (await response.json()) as { access: string };
    expect(Object.keys(body)).toEqual(["access"]);
    expect(auth.deps.tokens.verifyAccess(body.access)).toMatchObject({ authTime: testStart + 60 });
  });
});

describe("a confirmation with users of the application", () => {
  const ada = { id: "42", username: "ada", isActive: true };
  const bearer = async () => ({ Authorization: `Bearer ${(await auth.deps.flows.issue("42")).pair.access}` });

  it("isn't there if the application doesn't verify passwords", async () => {
    auth = await createTestAuth({ settings: { findUser: () => ada } });
    const response = await auth.send("POST", "/api/auth/confirm/", {
      headers: await bearer(),
      body: { password: "x" },
    });
    expect([response.status, await response.json()]).toEqual([404, { detail: "Not found.", code: "not_found" }]);
  });

  it("asks the application's verifyCredentials", async () => {
    const verifyCredentials = (_: string, password: string) => (password === "right" ? ada : null);
    auth = await createTestAuth({ settings: { findUser: () => ada, verifyCredentials } });
    const send = async (password: string) =>
      auth.send("POST", "/api/auth/confirm/", { headers: await bearer(), body: { password } });
    expect([(await send("right")).status, (await send("wrong")).status]).toEqual([200, 400]);
  });
});
