import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

const newPassword = "a much better battery";

let auth: TestAuth;
let browser: Browser;
let sessionId: string;

beforeEach(async () => {
  auth = await createTestAuth();
  browser = createBrowser(auth);
  ({ sessionId } = await browser.logIn());
});
afterEach(() => auth.close());

const change = (fields: object = {}, headers?: Record<string, string | null>) =>
  browser.post(
    "/api/auth/password/",
    { current_password: alice.password, new_password: newPassword, ...fields },
    headers,
  );

const canLogIn = async (password: string) =>
  (await auth.send("POST", "/api/token/", { body: { ...alice, password } })).status === 200;

describe("a change of password", () => {
  it("answers a change by cookie with new cookies and no token, and revokes all other sessions", async () => {
    const other = createBrowser(auth);
    await other.logIn();
    const before = browser.cookie("__Secure-refresh");
    const response = await change();
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({});
    expect(response.headers.getSetCookie()).toHaveLength(4);
    expect(browser.cookie("__Secure-refresh")).not.toBe(before);
    expect(await browser.isLoggedIn()).toBe(true);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    expect(await other.isLoggedIn()).toBe(false);
    expect((await other.post("/api/auth/refresh/")).status).toBe(401);
    expect([await canLogIn(alice.password), await canLogIn(newPassword)]).toEqual([false, true]);
  });

  it("sets the new cookies without Max-Age if the session is not remembered", async () => {
    await browser.logIn({ remember: false });
    const response = await change();
    expect(response.headers.getSetCookie().filter((cookie) => cookie.includes("Max-Age"))).toEqual([]);
  });

  it("answers a change by bearer token with the new pair, and requires no CSRF token", async () => {
    const { access } = await auth.logIn();
    const headers = { Authorization: `Bearer ${access}` };
    const body = { current_password: alice.password, new_password: newPassword };
    const response = await auth.send("POST", "/api/auth/password/", { headers, body });
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()).toEqual([]);
    const pair = (await response.json()) as { access: string; refresh: string };
    expect(Object.keys(pair)).toEqual(["access", "refresh"]);
    expect((await auth.send("POST", "/api/token/refresh/", { body: { refresh: pair.refresh } })).status).toBe(200);
    expect((await auth.store.sessions.find(sessionId))?.session.revokeReason).toBe("password_changed");
  });

  it("refuses a refresh token from before the change", async () => {
    const stolen = browser.cookie("__Secure-refresh");
    await change();
    const response = await auth.send("POST", "/api/token/refresh/", { body: { refresh: stolen } });
    expect([response.status, await response.json()]).toEqual([
      401,
      { detail: "The user's password has been changed.", code: "password_changed" },
    ]);
  });
});

describe("a change of password that is refused", () => {
  async function expectRefused(response: Response, status: number, body: unknown): Promise<void> {
    expect([response.status, await response.json()]).toEqual([status, body]);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect([await canLogIn(alice.password), await browser.isLoggedIn()]).toEqual([true, true]);
  }

  it("answers 400 to a wrong current password and emits login_failed", async () => {
    await expectRefused(await change({ current_password: "wrong" }), 400, { current_password: ["Invalid password."] });
    expect(auth.events.filter((event) => event.type === "login_failed")).toHaveLength(1);
  });

  it("answers 400 to a new password of fewer than 8 characters, however many bytes they are", async () => {
    const body = { new_password: ["This password is too short. It must contain at least 8 characters."] };
    await expectRefused(await change({ new_password: "1234567" }), 400, body);
    await expectRefused(await change({ new_password: "😀".repeat(7) }), 400, body);
  });

  it("answers 400 to a new password that contains the username in any case", async () => {
    const body = { new_password: ["This password contains the username. Choose one without it."] };
    await expectRefused(await change({ new_password: "xxALICExx" }), 400, body);
  });

  it("answers 400 to a new password that is too common", async () => {
    const reason = "This password is too common: it is among those that attackers try first. Choose another.";
    await expectRefused(await change({ new_password: "Password123" }), 400, { new_password: [reason] });
  });

  it("answers 400 with one message per missing field", async () => {
    await expectRefused(await browser.post("/api/auth/password/", {}), 400, {
      current_password: ["This field is required."],
      new_password: ["This field is required."],
    });
  });

  it("answers 403 to a change from another site or without the CSRF token", async () => {
    const origin = { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" };
    await expectRefused(await change({}, origin), 403, {
      detail: "CSRF Failed: Origin checking failed.",
      code: "csrf_failed",
    });
    await expectRefused(await change({}, { "X-CSRFToken": null }), 403, {
      detail: "CSRF Failed: CSRF token missing.",
      code: "csrf_failed",
    });
  });
});

it("answers 404 to a change of password if the application manages passwords itself", async () => {
  const user = { id: "7", username: "carol", isActive: true };
  const settings = { findUser: async () => user, verifyCredentials: async () => user };
  const theirs = await createTestAuth({ settings });
  const response = await theirs.send("POST", "/api/auth/password/", { body: {} });
  expect([response.status, await response.json()]).toEqual([404, { detail: "Not found.", code: "not_found" }]);
  await theirs.close();
});
