import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CookieJar } from "./cookie-jar.ts";
import { isInstalled, type RunningExample, startExample } from "./running.ts";

const person = { username: "alice", email: "alice@example.com", password: "correct horse battery staple" };

describe.skipIf(!isInstalled("logins"))("the example of a sign-up", () => {
  let example: RunningExample;
  beforeEach(async () => {
    example = await startExample("logins/sign-up.ts");
  });
  afterEach(() => example.stop());

  /** Fills in the form with a new browser. */
  async function signUp(changes: Readonly<Record<string, string>> = {}, path = "/sign-up") {
    const browser = new CookieJar(example.url);
    const fields = await browser.fields(path);
    return {
      browser,
      fields,
      response: await browser.post("/sign-up", { form: { ...fields, ...person, ...changes } }),
    };
  }

  it("creates a user who is logged in at once, and comes to the page that was asked for", async () => {
    const { browser, response } = await signUp({}, "/sign-up?next=/account");
    expect([response.status, response.headers.get("Location")]).toEqual([303, "/account"]);
    expect(await (await browser.get("/")).text()).toBe("Hello, alice.\n");
    const { sessions } = (await (await browser.get("/api/auth/sessions/")).json()) as { sessions: unknown[] };
    expect(sessions).toHaveLength(1);
    console.log("examples: sign-up: creates a user and logs the user in");
  });

  it("refuses a request without the page's token, or of another site, and creates nobody", async () => {
    expect((await signUp({ csrfmiddlewaretoken: "" })).response.status).toBe(403);
    const { csrfmiddlewaretoken = "" } = (await signUp({ password: "short" })).fields;
    expect((await signUp({ csrfmiddlewaretoken })).response.status).toBe(403);
    const browser = new CookieJar(example.url);
    const form = { ...(await browser.fields("/sign-up")), ...person };
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await browser.post("/sign-up", { form, headers })).status).toBe(403);
    expect((await browser.post("/sign-up", { form })).status).toBe(303);
  });

  it.each([
    [{ password: "too short" }, 400, "15 characters"],
    [{ password: "passwordpassword" }, 400, 'role="alert"'],
    [{ username: "" }, 400, "name"],
    [{ email: "nobody" }, 400, "mail"],
  ])("shows the form again, with the reason and without the password, for %j", async (changes, status, text) => {
    const { response } = await signUp(changes);
    const html = await response.text();
    expect(response.status).toBe(status);
    expect(html).toContain(text);
    expect(html).not.toMatch(/role="alert"><\/p>/);
    expect(html).not.toContain("correct horse");
    expect(html).toMatch(/name="csrfmiddlewaretoken" value="\w/);
  });

  it("shows what was typed as text, not as markup", async () => {
    const { response } = await signUp({ username: '"><script>alert(1)</script>', password: "short" });
    expect(await response.text()).not.toContain("<script>");
  });

  it("leads to no other site after the sign-up", async () => {
    const { response } = await signUp({ next: "//evil.example" });
    expect(response.headers.get("Location")).toBe("/");
  });

  it("creates one user if 64 browsers sign up at once with one name", async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => signUp()));
    const statuses = answers.map(({ response }) => response.status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409 || status === 503)).toHaveLength(63);
    console.log("examples: sign-up: 64 at once, one user");
  });

  it("logs in a user who opens the page with the cookies of an earlier session whose access cookie has expired", async () => {
    const { browser } = await signUp();
    browser.deleteCookie("__Host-Http-access");
    const form = { ...(await browser.fields("/sign-up")), ...person, username: "bob" };
    expect((await browser.post("/sign-up", { form })).status).toBe(303);
    expect(await (await browser.get("/")).text()).toBe("Hello, bob.\n");
  });

  it("creates no second user if the form is sent again, and the user can log in", async () => {
    const browser = new CookieJar(example.url);
    const form: Record<string, string> = { ...(await browser.fields("/sign-up")), ...person };
    const lost = new CookieJar(example.url);
    await lost.post("/sign-up", { form, headers: { Cookie: `__Host-csrftoken=${form["csrfmiddlewaretoken"]}` } });
    const again = await browser.post("/sign-up", { form });
    expect(again.status).toBe(409);
    expect(await again.text()).toContain("log in");
    await browser.get("/api/auth/csrf/");
    const { username, password } = person;
    expect((await browser.post("/api/auth/login/", { json: { username, password } })).status).toBe(200);
  });
});
