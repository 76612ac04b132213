import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../../src/core/settings/settings.ts";
import type { FactorAnswer } from "../../../../src/core/settings/user-settings.ts";
import type { AuthUser } from "../../../../src/core/user.ts";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { createBrowser } from "../../../support/browser.ts";
import { expectThrottled, sendFrom } from "../../guesses.ts";

let auth: TestAuth;
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
}
afterEach(() => auth.close());

interface Pair {
  readonly access: string;
  readonly refresh: string;
}

/** Logs in by the password, and returns the ticket. */
async function begin(): Promise<string> {
  const response = await auth.send("POST", "/api/token/", { body: alice });
  expect(response.status).toBe(401);
  return ((await response.json()) as { ticket: string }).ticket;
}

const proceed = (ticket: string, fields: object = { code: "123456" }, headers: Record<string, string> = {}) =>
  auth.send("POST", "/api/token/continue/", { body: { ticket, ...fields }, headers });

const liveSessions = async () => (await auth.store.sessions.list({ limit: 100 })).sessions.length;
const toAnswer = async (response: Response) => [response.status, await response.json()];
const toSessionId = (pair: Pair) => auth.deps.tokens.verifyRefresh(pair.refresh).sessionId;
const ticketInvalid = { detail: "The login has expired. Log in again.", code: "ticket_invalid" };
const wrongProof = { detail: "The second step failed.", code: "second_factor_invalid" };
const key = { "Idempotency-Key": "k".repeat(22) };
const noDelays = { loginFailuresBeforeDelay: 0, accountFailuresBeforeDelay: 0, maxLoginFailures: 0 };

describe("POST /api/token/continue/", () => {
  it("answers what POST /api/token/ answers, and sets no cookie", async () => {
    await start();
    const response = await proceed(await begin());
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []]);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    const pair = (await response.json()) as Pair;
    expect(pair).toEqual({ refresh: expect.any(String), access: expect.any(String) });
    expect((await auth.store.sessions.find(toSessionId(pair)))?.session.amr).toBe("pwd otp");
    expect(auth.deps.tokens.verifyAccess(pair.access).amr).toEqual(["pwd", "otp"]);
    const headers = { Authorization: `Bearer ${pair.access}` };
    expect((await auth.send("GET", "/api/auth/me/", { headers })).status).toBe(200);
    const { refresh } = pair;
    expect((await auth.send("POST", "/api/token/refresh/", { body: { refresh } })).status).toBe(200);
  });

  it("accepts the ticket of a login by cookie too", async () => {
    await start();
    const browser = createBrowser(auth);
    await browser.get("/api/auth/csrf/");
    const { ticket } = (await (await browser.post("/api/auth/login/", alice)).json()) as { ticket: string };
    expect((await proceed(ticket)).status).toBe(200);
    expect(await liveSessions()).toBe(1);
  });

  it("needs no CSRF token, and leaves the session of the request's cookies alone", async () => {
    let needsStep = false;
    await start({ afterPassword: () => (needsStep ? { methods: ["otp"] } : null) });
    const browser = createBrowser(auth);
    await browser.logIn();
    needsStep = true;
    const ticket = await begin();
    const headers = { "X-CSRFToken": null };
    expect((await browser.post("/api/token/continue/", { ticket, code: "123456" }, headers)).status).toBe(200);
    expect([await liveSessions(), await browser.isLoggedIn()]).toEqual([2, true]);
  });

  it("passes the other fields to the application as JSON has them, and not the ticket", async () => {
    await start();
    const fields = { code: "000000", n: 7, deep: { list: [1.5, "1", null, true] } };
    await proceed(await begin(), fields);
    expect(proofs).toEqual([["alice", fields]]);
  });

  it("accepts forms, as POST /api/token/ does, and passes their fields as text", async () => {
    await start();
    const url = new URLSearchParams({ ticket: await begin(), code: "123456" });
    const multipart = new FormData();
    for (const [name, value] of Object.entries({ ticket: await begin(), code: "123456" })) multipart.set(name, value);
    for (const body of [url, multipart]) {
      const request = new Request("https://auth.example/api/token/continue/", { method: "POST", body });
      expect((await auth.handler.fetch(request)).status).toBe(200);
    }
    expect(proofs).toEqual(Array(2).fill(["alice", { code: "123456" }]));
  });

  it("doesn't pass a file of a form to the application as a code", async () => {
    await start();
    const body = new FormData();
    body.set("ticket", await begin());
    body.set("code", new File(["123456"], "code.txt"));
    const request = new Request("https://auth.example/api/token/continue/", { method: "POST", body });
    expect(await toAnswer(await auth.handler.fetch(request))).toEqual([400, wrongProof]);
    expect(proofs).toEqual([["alice", { code: {} }]]);
  });

  it("tells the application and the session who sent the request", async () => {
    const clients: unknown[] = [];
    await start({
      verifySecondFactor: (_user, _proof, client) => {
        clients.push(client);
        return ["otp"];
      },
    });
    const send = sendFrom(auth, "192.0.2.7");
    const headers = { "User-Agent": "app/1.0" };
    const response = await send("POST", "/api/token/continue/", { body: { ticket: await begin() }, headers });
    const session = await auth.store.sessions.find(toSessionId((await response.json()) as Pair));
    expect(clients).toMatchObject([{ ip: "192.0.2.7", userAgent: "app/1.0" }]);
    expect(session?.session).toMatchObject({ ip: "192.0.2.7", userAgent: "app/1.0" });
  });

  it("emits a pending login, each wrong proof, and the session", async () => {
    await start();
    const ticket = await begin();
    await proceed(ticket, { code: "000000" });
    await proceed(ticket);
    const ours = auth.events.filter(({ type }) => type.startsWith("login"));
    expect(ours).toMatchObject([
      { type: "login_pending", userId: auth.user.id },
      { type: "login_failed", code: "second_factor_invalid", userId: auth.user.id },
      { type: "login", userId: auth.user.id },
    ]);
  });

  it("answers 400 to a wrong proof, and lets the client try again", async () => {
    await start();
    const ticket = await begin();
    expect(await toAnswer(await proceed(ticket, { code: "000000" }))).toEqual([400, wrongProof]);
    expect((await proceed(ticket)).status).toBe(200);
  });

  it("answers 401 after five wrong proofs, to the right one too", async () => {
    await start(noDelays);
    const ticket = await begin();
    for (let n = 0; n < 5; n++) expect((await proceed(ticket, { code: "000000" })).status).toBe(400);
    const late = await proceed(ticket);
    expect(late.headers.get("WWW-Authenticate")).toBe('Bearer realm="api"');
    expect(late.headers.has("Session-Ended")).toBe(false);
    expect(await toAnswer(late)).toEqual([401, ticketInvalid]);
    expect([proofs.length, await liveSessions()]).toEqual([5, 0]);
  });

  it("answers 429 after too many failed logins, which wrong proofs and wrong passwords are alike", async () => {
    await start({ accountFailuresBeforeDelay: 2 });
    const [ticket, next] = [await begin(), await begin()];
    expect((await auth.send("POST", "/api/token/", { body: { ...alice, password: "wrong" } })).status).toBe(401);
    expect((await proceed(ticket, { code: "000000" })).status).toBe(400);
    await expectThrottled(await proceed(ticket), 5);
    await expectThrottled(await proceed(next), 5);
    auth.clock.advance(5);
    expect((await proceed(ticket)).status).toBe(200);
  });

  it("answers 401 to a ticket that was used, has expired or was invented", async () => {
    await start();
    const ticket = await begin();
    await proceed(ticket);
    expect(await toAnswer(await proceed(ticket))).toEqual([401, ticketInvalid]);
    for (const invented of [`tpl_${"x".repeat(43)}`, "x"]) {
      expect(await toAnswer(await proceed(invented))).toEqual([401, ticketInvalid]);
    }
    const [late, last] = [await begin(), await begin()];
    auth.clock.advance(299);
    expect((await proceed(last)).status).toBe(200);
    auth.clock.advance(1);
    expect(await toAnswer(await proceed(late))).toEqual([401, ticketInvalid]);
    expect(proofs).toHaveLength(2);
  });

  it("starts one session for 64 requests with one ticket at once", async () => {
    await start(noDelays);
    const ticket = await begin();
    const answers = await Promise.all(Array.from({ length: 64 }, async () => toAnswer(await proceed(ticket))));
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1);
    expect(
      new Set(answers.flatMap(([status, body]) => (status === 200 ? [] : [JSON.stringify([status, body])]))),
    ).toEqual(new Set([JSON.stringify([401, ticketInvalid])]));
    expect(await liveSessions()).toBe(1);
  });

  it("answers 64 requests with one ticket and one idempotency key at once with one session", async () => {
    await start(noDelays);
    const ticket = await begin();
    const responses = await Promise.all(Array.from({ length: 64 }, () => proceed(ticket, undefined, key)));
    const refused = responses.filter(({ status }) => status !== 200);
    // A ticket has five attempts. A client doesn't send more at once, and any of them may be repeated.
    for (const response of refused) expect(await toAnswer(response)).toEqual([401, ticketInvalid]);
    const accepted = await Promise.all(responses.filter(({ ok }) => ok).map((response) => response.json()));
    expect(accepted.length).toBeGreaterThan(0);
    expect(new Set(accepted.map((pair) => (pair as Pair).refresh)).size).toBe(1);
    expect(await liveSessions()).toBe(1);
    expect((await proceed(ticket, undefined, key)).status).toBe(200);
  });

  it("answers a client that has lost the response, and sends it again with its idempotency key, with the same session", async () => {
    await start();
    const ticket = await begin();
    await proceed(ticket, undefined, key);
    auth.clock.advance(60);
    const repeated = await proceed(ticket, undefined, key);
    expect(repeated.status).toBe(200);
    const pair = (await repeated.json()) as Pair;
    expect([await liveSessions(), proofs.length]).toEqual([1, 1]);
    const again = (await (await proceed(ticket, undefined, key)).json()) as Pair;
    expect(again.refresh).toBe(pair.refresh);
    const { refresh } = pair;
    expect((await auth.send("POST", "/api/token/refresh/", { body: { refresh } })).status).toBe(200);
    // The client has its answer now.
    expect(await toAnswer(await proceed(ticket, undefined, key))).toEqual([401, ticketInvalid]);
    expect(await liveSessions()).toBe(1);
  });

  it("answers 401 to a used ticket with another idempotency key, or with none", async () => {
    await start();
    const ticket = await begin();
    await proceed(ticket, undefined, key);
    for (const headers of [{ "Idempotency-Key": "l".repeat(22) }, {}]) {
      expect(await toAnswer(await proceed(ticket, undefined, headers))).toEqual([401, ticketInvalid]);
    }
    expect(await liveSessions()).toBe(1);
  });

  it("answers 400 to a malformed idempotency key, and takes no attempt", async () => {
    await start();
    const ticket = await begin();
    const detail = { detail: "Idempotency-Key is not valid.", code: "bad_idempotency_key" };
    expect(await toAnswer(await proceed(ticket, undefined, { "Idempotency-Key": "short" }))).toEqual([400, detail]);
    expect(proofs).toEqual([]);
    expect((await proceed(ticket)).status).toBe(200);
  });

  it.each([
    [{}, "This field is required."],
    [{ ticket: null }, "This field may not be null."],
    [{ ticket: " " }, "This field may not be blank."],
    [{ ticket: ["x"] }, "Not a valid string."],
  ])("answers 400 to the ticket in %j", async (body, message) => {
    await start();
    expect(await toAnswer(await auth.send("POST", "/api/token/continue/", { body }))).toEqual([
      400,
      { ticket: [message] },
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

  it("has room for claims that are too long for a cookie", async () => {
    await start({ claims: () => ({ roles: "r".repeat(3_200) }) });
    expect((await proceed(await begin())).status).toBe(200);
    expect(auth.errors).toEqual([]);
  });

  it("isn't there if the application verifies second steps in a route of its own", async () => {
    await start({ verifySecondFactor: undefined });
    expect(await toAnswer(await proceed(await begin()))).toEqual([404, { detail: "Not found.", code: "not_found" }]);
  });
});
