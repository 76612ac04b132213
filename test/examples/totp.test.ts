import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CookieJar } from "./cookie-jar.ts";
import { importFrom, isInstalled, type RunningExample, startExample } from "./running.ts";

const alice = { username: "alice", password: "correct horse battery staple" };

/** The part of `otpauth` that the tests need: an authenticator app. */
interface Otpauth {
  readonly URI: { parse(uri: string): { generate(options: { readonly timestamp: number }): string } };
}

describe.skipIf(!isInstalled("logins"))("the example of a one-time code", () => {
  let example: RunningExample;
  let browser: CookieJar;
  beforeEach(async () => {
    example = await startExample("logins/totp.ts");
    browser = new CookieJar(example.url);
    await logIn(browser);
  });
  afterEach(() => example.stop());

  /** Does the first step, and returns the answer. */
  async function logIn(from: CookieJar): Promise<{ readonly status: number; readonly ticket?: string }> {
    await from.get("/api/auth/csrf/");
    const response = await from.post("/api/auth/login/", { json: alice });
    return { status: response.status, ...((await response.json()) as { ticket?: string }) };
  }

  const continueLogin = (from: CookieJar, json: object, headers = {}) =>
    from.post("/api/auth/login/continue/", { json, headers });

  /** Does the first step in a new browser. */
  async function startLogin() {
    const other = new CookieJar(example.url);
    const { status, ticket } = await logIn(other);
    return { other, status, ticket };
  }

  /** Returns the codes of this time step and the next: the example takes both, one after the other. */
  async function toCodes(uri: string): Promise<readonly [string, string]> {
    const { URI } = await importFrom<Otpauth>("logins", "otpauth");
    const app = URI.parse(uri);
    const timestamp = Date.now();
    return [app.generate({ timestamp }), app.generate({ timestamp: timestamp + 30_000 })];
  }

  /** Adds an authenticator app to alice's account. */
  async function enrol() {
    const response = await browser.post("/totp/enrol", { json: {} });
    expect(response.status).toBe(200);
    const { uri, recoveryCodes } = (await response.json()) as { uri: string; recoveryCodes: string[] };
    const [first, second] = await toCodes(uri);
    const confirmed = await browser.post("/totp/confirm", { json: { code: first } });
    expect(confirmed.status).toBe(204);
    return { first, second, recoveryCodes };
  }

  it("asks for a code after the password as soon as the user has confirmed the app, and logs in by it", async () => {
    expect((await startLogin()).status).toBe(200);
    const { second } = await enrol();
    const { other, status, ticket } = await startLogin();
    expect(status).toBe(401);
    expect((await continueLogin(other, { ticket, code: ` ${second.slice(0, 3)} ${second.slice(3)} ` })).status).toBe(
      200,
    );
    expect((await other.get("/api/auth/me/")).status).toBe(200);
    console.log("examples: totp: logs in by a code, once");
  });

  it("refuses a wrong code, and a code that was used, also that of the enrolment", async () => {
    const { first, second } = await enrol();
    const { other, ticket } = await startLogin();
    for (const code of [first, second === "000000" ? "000001" : "000000", "", 7, [second]]) {
      const { status } = await continueLogin(other, { ticket, code });
      expect([400, 429]).toContain(status);
    }
    expect((await other.get("/api/auth/me/")).status).toBe(401);
  });

  it("refuses a code with a second ticket", async () => {
    const { second } = await enrol();
    const [one, two] = [await startLogin(), await startLogin()];
    expect((await continueLogin(one.other, { ticket: one.ticket, code: second })).status).toBe(200);
    expect((await continueLogin(two.other, { ticket: two.ticket, code: second })).status).toBe(400);
  });

  it("starts one session if 64 logins use one code at once", async () => {
    const { second } = await enrol();
    const logins = [];
    for (let i = 0; i < 64; i++) logins.push(await startLogin());
    const answers = await Promise.all(
      logins.map(({ other, ticket }) => continueLogin(other, { ticket, code: second })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 400).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => ![200, 400, 429].includes(status))).toEqual([]);
    console.log("examples: totp: 64 at once, one session");
  });

  it("repeats the answer of a login for the same Idempotency-Key, although the code counts once", async () => {
    const { second } = await enrol();
    const { other, ticket } = await startLogin();
    const headers = { "Idempotency-Key": "0f8fad5b-d9cb-469f-a165-70867728950e" };
    const [first, again] = [
      await continueLogin(other, { ticket, code: second }, headers),
      await continueLogin(other, { ticket, code: second }, headers),
    ];
    expect([first.status, again.status]).toEqual([200, 200]);
    const toRefresh = (response: Response) => response.headers.getSetCookie().find((line) => line.includes("refresh="));
    expect(toRefresh(again)).toBe(toRefresh(first));
  });

  it("logs an app in by a code, and repeats a lost answer for the same Idempotency-Key", async () => {
    const { second } = await enrol();
    const post = (path: string, body: object, headers = {}) =>
      fetch(`${example.url}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(body),
      });
    const pending = await post("/api/token/", alice);
    const { ticket } = (await pending.json()) as { ticket: string };
    const key = { "Idempotency-Key": "0f8fad5b-d9cb-469f-a165-70867728950e" };
    const complete = async () => {
      const response = await post("/api/token/continue/", { ticket, code: second }, key);
      return { status: response.status, pair: (await response.json()) as { access: string; refresh: string } };
    };
    const [first, again] = [await complete(), await complete()];
    expect([pending.status, first.status, again.status]).toEqual([401, 200, 200]);
    expect(again.pair.refresh).toBe(first.pair.refresh);
    const headers = { Authorization: `Bearer ${again.pair.access}` };
    expect((await fetch(`${example.url}/api/auth/me/`, { headers })).status).toBe(200);
    console.log("examples: totp: logs an app in by a code");
  });

  it("accepts each recovery code once", async () => {
    const { recoveryCodes } = await enrol();
    const [code = ""] = recoveryCodes;
    const [one, two] = [await startLogin(), await startLogin()];
    expect((await continueLogin(one.other, { ticket: one.ticket, code: code.toLowerCase() })).status).toBe(200);
    expect((await continueLogin(two.other, { ticket: two.ticket, code })).status).toBe(400);
    console.log("examples: totp: logs in by a recovery code, once");
  });

  it("repeats an enrolment whose answer was lost without using a second code, and then needs the factor for another", async () => {
    const { first } = await enrol();
    expect((await browser.post("/totp/confirm", { json: { code: first } })).status).toBe(204);
    expect((await browser.post("/totp/confirm", { json: { code: "000000" } })).status).toBe(400);
    // This session has the factor, so it may replace the app. The old app works until the new one is confirmed.
    const { second, recoveryCodes } = await enrol();
    const { other, ticket } = await startLogin();
    expect((await continueLogin(other, { ticket, code: second })).status).toBe(200);
    const third = await startLogin();
    expect((await continueLogin(third.other, { ticket: third.ticket, code: recoveryCodes[7] })).status).toBe(200);
  });

  it("logs out sessions that began without the factor, and refuses to replace it without it", async () => {
    const stolen = new CookieJar(example.url);
    await logIn(stolen);
    const { second } = await enrol();
    expect((await stolen.get("/api/auth/me/")).status).toBe(401);
    expect((await stolen.post("/totp/enrol", { json: {} })).status).toBe(401);
    expect((await browser.post("/totp/confirm", { json: { code: second } })).status).toBe(204);
  });

  it("doesn't accept the codes of an app that isn't confirmed", async () => {
    const response = await browser.post("/totp/enrol", { json: {} });
    const { recoveryCodes } = (await response.json()) as { recoveryCodes: string[] };
    expect((await startLogin()).status).toBe(200);
    const confirmed = await enrol();
    const { other, ticket } = await startLogin();
    expect((await continueLogin(other, { ticket, code: recoveryCodes[0] })).status).toBe(400);
    expect((await continueLogin(other, { ticket, code: confirmed.second })).status).toBe(200);
  });

  it("refuses an enrolment without the CSRF token, or of another site", async () => {
    expect((await browser.post("/totp/enrol", { json: {}, headers: { "X-CSRFToken": "" } })).status).toBe(403);
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await browser.post("/totp/enrol", { json: {}, headers })).status).toBe(403);
  });
});
