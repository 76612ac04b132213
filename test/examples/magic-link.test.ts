import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CookieJar } from "./cookie-jar.ts";
import { isInstalled, type RunningExample, startExample } from "./running.ts";

const alice = "alice@example.com";

describe.skipIf(!isInstalled("logins"))("the example of a magic link", () => {
  let example: RunningExample;
  let browser: CookieJar;
  beforeEach(async () => {
    example = await startExample("logins/magic-link.ts");
    browser = new CookieJar(example.url);
  });
  afterEach(() => example.stop());

  const askForLink = async (address: string, from = browser) =>
    from.post("/login", { form: { ...(await from.fields("/login")), address } });

  const sentLinks = () => example.lines.filter((line) => line.startsWith("to "));

  /** Asks for a link, and returns the path of the one that is sent. */
  async function receiveLink(): Promise<string> {
    await askForLink(alice);
    return (await example.untilLine(/^to alice@example\.com: /)).slice(-1_000).replace(/^.*http:\/\/[^/]+/, "");
  }

  it("logs in by the button on the link's page, which the link alone doesn't use up", async () => {
    const link = await receiveLink();
    for (let opened = 0; opened < 3; opened++) {
      const page = await new CookieJar(example.url).get(link);
      expect([page.status, page.headers.getSetCookie().join().includes("access")]).toEqual([200, false]);
      expect(await page.text()).toContain("Log in as alice@example.com?");
    }
    const form = await browser.fields(link);
    const response = await browser.post("/login/link", { form });
    expect([response.status, response.headers.get("Location")]).toEqual([303, "/"]);
    expect(await (await browser.get("/")).text()).toMatch(/^hello, user /);
    console.log("examples: magic-link: logs in, once");
  });

  it("works in another browser than the one that has asked, and keeps the token from other sites", async () => {
    const link = await receiveLink();
    const other = new CookieJar(example.url);
    const page = await other.get(link);
    expect(page.headers.get("Referrer-Policy")).toBe("same-origin");
    expect(page.headers.get("Cache-Control")).toBe("no-store");
    expect((await other.post("/login/link", { form: await other.fields(link) })).status).toBe(303);
  });

  it("accepts a link once, also if the browser sends the form again because it has lost the answer", async () => {
    const link = await receiveLink();
    const form = await browser.fields(link);
    const headers = { Cookie: `__Host-csrftoken=${form["csrfmiddlewaretoken"]}` };
    const lost = await new CookieJar(example.url).post("/login/link", { form, headers });
    expect(lost.status).toBe(303);
    const again = await browser.post("/login/link", { form });
    expect([again.status, await again.text()]).toEqual([400, expect.stringContaining("Get a new one")]);
    expect((await browser.get(link)).status).toBe(400);
    expect((await browser.get("/")).status).toBe(401);
  });

  it("starts one session if 64 browsers use one link at once", async () => {
    const link = await receiveLink();
    const browsers = Array.from({ length: 64 }, () => new CookieJar(example.url));
    const forms = await Promise.all(browsers.map((each) => each.fields(link)));
    const answers = await Promise.all(browsers.map((each, i) => each.post("/login/link", { form: forms[i] ?? {} })));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([303, ...Array(63).fill(400)]);
    const winner = browsers[answers.findIndex(({ status }) => status === 303)];
    const response = await winner?.get("/api/auth/sessions/");
    expect(await response?.json()).toEqual({ sessions: [expect.anything()] });
    console.log("examples: magic-link: 64 at once, one session");
  });

  it("refuses a token that it hasn't sent", async () => {
    const form = await browser.fields(await receiveLink());
    for (const token of ["", "x", `${form["token"]}x`, form["token"]?.slice(1) ?? ""]) {
      expect((await browser.post("/login/link", { form: { ...form, token } })).status).toBe(400);
    }
  });

  it("answers an unknown address in the same way, and sends it nothing", async () => {
    const [known, unknown] = [await askForLink(alice), await askForLink("nobody@example.com")];
    expect([unknown.status, await unknown.text()]).toEqual([known.status, await known.text()]);
    await askForLink("ALICE@example.com ");
    await example.untilLine(/^to alice/);
    expect(sentLinks().every((line) => line.startsWith(`to ${alice}: `))).toBe(true);
  });

  it("sends three links to an address in 15 minutes, in any spelling, also if 64 are asked for at once", async () => {
    const form = { ...(await browser.fields("/login")), address: alice };
    const spellings = [alice, "Alice@Example.com", ` ${alice}`];
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        browser.post("/login", { form: { ...form, address: spellings[i % 3] ?? "" } }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await askForLink("nobody@example.com");
    expect(sentLinks()).toHaveLength(3);
  });

  it("refuses forms of other sites, and those without the page's token, and they use nothing up", async () => {
    const link = await receiveLink();
    const form = await browser.fields(link);
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await browser.post("/login/link", { form, headers })).status).toBe(403);
    expect((await browser.post("/login/link", { form: { token: form["token"] ?? "" } })).status).toBe(403);
    expect((await browser.post("/login", { form: { address: alice } })).status).toBe(403);
    expect((await browser.post("/login/link", { form })).status).toBe(303);
  });
});
