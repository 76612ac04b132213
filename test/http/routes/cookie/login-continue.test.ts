import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../../src/core/settings/settings.ts";
import type { FactorAnswer } from "../../../../src/core/settings/user-settings.ts";
import type { AuthUser } from "../../../../src/core/user.ts";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { type Browser, createBrowser } from "../../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;
/** What the application was asked to verify. */
let proofs: unknown[];

const verifySecondFactor = (user: AuthUser, proof: Readonly<Record<string, unknown>>): FactorAnswer => {
  proofs.push([user.username, proof]);
  return proof["code"] === "123456" ? ["otp"] : null;
};

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  proofs = [];
  const second = { afterPassword: () => ({ methods: ["otp"] }), verifySecondFactor };
  auth = await createTestAuth({ settings: { ...second, ...settings } });
  browser = createBrowser(auth);
  await browser.get("/api/auth/csrf/");
}
afterEach(() => auth.close());

/** Logs in by the password, and returns the ticket. */
async function begin(body: object = alice): Promise<string> {
  const response = await browser.post("/api/auth/login/", body);
  return ((await response.json()) as { ticket: string }).ticket;
}

const proceed = (ticket: string, fields: object = { code: "123456" }, headers?: Record<string, string | null>) =>
  browser.post("/api/auth/login/continue/", { ticket, ...fields }, headers);

const liveSessions = async () => (await auth.store.sessions.list({ limit: 10 })).sessions.length;
const toAnswer = async (response: Response) => [response.status, await response.json()];
const ticketInvalid = { detail: "The login has expired. Log in again.", code: "ticket_invalid" };

describe("a login that needs a second step", () => {
  it("is answered by both endpoints with 401, the ticket and the methods, and no cookie or token", async () => {
    await start();
    for (const response of [
      await browser.post("/api/auth/login/", alice),
      await auth.send("POST", "/api/token/", { body: alice }),
    ]) {
      expect(response.status).toBe(401);
      expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="api"');
      expect(response.headers.has("Session-Ended")).toBe(false);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(await response.json()).toEqual({
        detail: "A second step is required.",
        code: "second_factor_required",
        ticket: expect.stringMatching(/^tpl_/),
        methods: ["otp"],
        expires_in: 300,
      });
    }
  });

  it("is answered with JSON to a form, because a page without scripts can't go on", async () => {
    await start();
    const fields = { ...alice, csrfmiddlewaretoken: browser.cookie("__Host-csrftoken") ?? "", failed: "/login" };
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const response = await browser.post("/api/auth/login/", new URLSearchParams(fields).toString(), headers);
    expect(await toAnswer(response)).toMatchObject([401, { code: "second_factor_required" }]);
  });
});

describe("login/continue", () => {
  it("answers what a login answers, and sets its four cookies", async () => {
    await start();
    const response = await proceed(await begin());
    expect(response.status).toBe(200);
    const body = (await response.json()) as { session: { id: string } };
    expect(body).toEqual({
      user: { id: auth.user.id, username: "alice" },
      session: { id: body.session.id },
      access_expires_in: 1_800,
      refresh_expires_in: 2_592_000,
    });
    expect(response.headers.getSetCookie()).toHaveLength(4);
    expect(await browser.isLoggedIn()).toBe(true);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    expect((await auth.store.sessions.find(body.session.id))?.session.amr).toBe("pwd otp");
  });

  it("passes the other fields to the application as JSON has them, and not the ticket", async () => {
    await start();
    const fields = { code: "000000", n: 7, deep: { list: [1.5, "1", null, true] } };
    await proceed(await begin(), fields);
    expect(proofs).toEqual([["alice", fields]]);
  });

  it("remembers the login if the first step said so", async () => {
    await start();
    const response = await proceed(await begin({ ...alice, remember: false }));
    expect(response.headers.getSetCookie().join()).not.toContain("Max-Age");
  });

  it("revokes the session that the browser had", async () => {
    await start();
    await proceed(await begin());
    expect((await proceed(await begin())).status).toBe(200);
    expect(await liveSessions()).toBe(1);
  });

  it("answers 400 to a wrong proof, sets no cookie, and lets the client try again", async () => {
    await start();
    const ticket = await begin();
    const response = await proceed(ticket, { code: "000000" });
    expect(await toAnswer(response)).toEqual([
      400,
      { detail: "The second step failed.", code: "second_factor_invalid" },
    ]);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect((await proceed(ticket)).status).toBe(200);
  });

  it("answers 401 after five wrong proofs, and 429 before that if there were too many failed logins", async () => {
    await start({ loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0 });
    const ticket = await begin();
    for (let n = 0; n < 5; n++) expect((await proceed(ticket, { code: "000000" })).status).toBe(400);
    expect(await toAnswer(await proceed(ticket))).toEqual([401, ticketInvalid]);
    await auth.close();
    await start({ accountFailuresBeforeDelay: 1 });
    const next = await begin();
    expect((await proceed(next, { code: "000000" })).status).toBe(400);
    const throttled = await proceed(next);
    expect([throttled.status, throttled.headers.get("Retry-After")]).toEqual([429, "5"]);
  });

  it("answers 401 to a ticket that was used, has expired or was invented", async () => {
    await start();
    const ticket = await begin();
    await proceed(ticket);
    expect(await toAnswer(await proceed(ticket))).toEqual([401, ticketInvalid]);
    expect(await toAnswer(await proceed(`tpl_${"x".repeat(43)}`))).toEqual([401, ticketInvalid]);
    const late = await begin();
    auth.clock.advance(300);
    expect(await toAnswer(await proceed(late))).toEqual([401, ticketInvalid]);
    expect(proofs).toHaveLength(1);
  });

  it("answers a request that is repeated with its idempotency key with the same session", async () => {
    await start();
    const ticket = await begin();
    const key = { "Idempotency-Key": "k".repeat(22) };
    const first = await proceed(ticket, undefined, key);
    const refresh = browser.cookie("__Secure-refresh");
    const second = await proceed(ticket, undefined, key);
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(await second.json()).toMatchObject({ session: ((await first.json()) as { session: object }).session });
    expect(browser.cookie("__Secure-refresh")).toBe(refresh);
    expect([await liveSessions(), proofs.length]).toEqual([1, 1]);
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    // The client has its answer now.
    expect(await toAnswer(await proceed(ticket, undefined, key))).toEqual([401, ticketInvalid]);
  });

  it("answers a repeated request of a browser that has lost the cookies too", async () => {
    await start();
    const ticket = await begin();
    const key = { "Idempotency-Key": "k".repeat(22) };
    const csrf = browser.cookie("__Host-csrftoken") ?? "";
    const lost = createBrowser({ send: async (...args) => new Response((await auth.send(...args)).body) });
    lost.setCookie("__Host-csrftoken", csrf);
    await lost.post("/api/auth/login/continue/", { ticket, code: "123456" }, key);
    expect(await liveSessions()).toBe(1);
    expect((await proceed(ticket, undefined, key)).status).toBe(200);
    expect(await browser.isLoggedIn()).toBe(true);
    expect(await liveSessions()).toBe(1);
  });

  it.each([
    ["without the CSRF token", { "X-CSRFToken": null }, 403],
    ["from another site", { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }, 403],
    ["with a malformed idempotency key", { "Idempotency-Key": "short" }, 400],
    ["as a form", { "Content-Type": "application/x-www-form-urlencoded" }, 415],
  ])("is refused %s, and takes no attempt", async (_, headers, status) => {
    await start();
    const ticket = await begin();
    expect((await proceed(ticket, undefined, headers)).status).toBe(status);
    expect(proofs).toEqual([]);
    expect((await proceed(ticket)).status).toBe(200);
  });

  it("answers 400 if there is no ticket", async () => {
    await start();
    expect(await toAnswer(await browser.post("/api/auth/login/continue/", { code: "1" }))).toEqual([
      400,
      { ticket: ["This field is required."] },
    ]);
  });

  it("answers 503 if the application can't verify the proof, and takes no attempt", async () => {
    let isDown = true;
    await start({
      loginFailuresBeforeDelay: 1,
      verifySecondFactor: () => (isDown ? Promise.reject(new Error("down")) : ["otp"]),
    });
    const ticket = await begin();
    for (let n = 0; n < 6; n++) expect((await proceed(ticket)).status).toBe(503);
    expect(auth.errors).toHaveLength(6);
    isDown = false;
    expect((await proceed(ticket)).status).toBe(200);
  });

  it("isn't there if the application verifies second steps in a route of its own", async () => {
    await start({ verifySecondFactor: undefined });
    expect(await toAnswer(await proceed(await begin()))).toEqual([404, { detail: "Not found.", code: "not_found" }]);
  });
});
