import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Attacker, openAttacker } from "./attacker.ts";
import { openBrowser, type TestBrowser } from "./chromium.ts";
import { callApi, logInAnew } from "./person.ts";
import { type LogLine, openSite, password, type Site } from "./site.ts";
import { until } from "./until.ts";

/** Another port is the same site to a browser: all cookies go along. To the others go none, or only Lax ones. */
const places = [
  ["another port", "localhost"],
  ["another host name", "127.0.0.1"],
  ["a host below this one", "evil.localhost"],
  ["another site", "attacker.example"],
] as const;

describe("a page of somebody else changes nothing", { timeout: 60_000 }, () => {
  let site: Site;
  let attacker: Attacker;
  let browser: TestBrowser;
  let device: BrowserContext;
  let user: string;
  let page: Page;
  let before: Awaited<ReturnType<typeof readState>>;

  beforeAll(async () => {
    [site, attacker, browser] = await Promise.all([openSite({ access: 600 }), openAttacker(), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await attacker.close();
    await site.close();
  });
  beforeEach(async () => {
    [device, user] = await Promise.all([browser.device(), site.newUser()]);
    page = await logInAnew(device, site, user);
    before = await readState();
  });
  afterEach(() => device.close());

  /** All that an attack could change, but the password. */
  const readState = async () => ({
    cookies: await device.cookies(`${site.origin}/api/auth`),
    sessions: await site.sessionsOf(user),
  });

  /** The requests that arrived since, with these methods. */
  const arrived = (since: number, methods: readonly string[]): readonly LogLine[] =>
    site
      .log()
      .slice(since)
      .filter(({ msg, method = "" }) => msg === "request" && methods.includes(method));

  /** Forms of every kind, each in a frame of its own, and then one that takes the whole tab along. */
  async function attackByForms(tab: Page, host: string): Promise<void> {
    const since = site.log().length;
    const forgeries = toForgeries(user);
    const forms = forgeries.map(({ path, body }, at) => toForm(`${site.origin}${path}`, body, `frame${at}`));
    const frames = forms.map((_, at) => `<iframe name="frame${at}"></iframe>`);
    await tab.goto(attacker.serve(host, frames.join("") + forms.join("") + submitAll));
    await until(() => arrived(since, ["POST"]).length >= forms.length);
    await tab.goto(
      attacker.serve(host, toForm(`${site.origin}/api/auth/logout/`, '{"scope":"all"}', "_top") + submitAll),
    );
    await until(() => arrived(since, ["POST"]).length > forms.length);
    expect(arrived(since, ["POST"]).filter(({ status = 0 }) => status < 400)).toEqual([]);
  }

  /** Every call in every mode; none is answered in a way that the page could read. */
  async function attackByFetch(tab: Page, host: string): Promise<void> {
    const since = site.log().length;
    const session = `/api/auth/sessions/${before.sessions[0]?.id}/`;
    const calls = [
      ...toForgeries(user).map((forgery) => ({ ...forgery, method: "POST" })),
      { path: session, method: "PATCH", body: '{"label":"forged"}' },
      { path: session, method: "DELETE", body: null },
      { path: "/api/auth/me/", method: "GET", body: null },
      { path: "/api/auth/csrf/", method: "GET", body: null },
    ];
    await tab.goto(attacker.serve(host, "<title>harmless</title>"));
    const answers = await tab.evaluate(forge, { origin: site.origin, calls });
    expect(answers).toEqual(
      calls.flatMap(() => ["", "nothing", "nothing"]).map((answer) => expect.toBeOneOf([answer, "nothing"])),
    );
    const changing = arrived(since, ["POST", "PATCH", "DELETE"]);
    expect(changing.length).toBeGreaterThanOrEqual(toForgeries(user).length);
    expect(changing.filter(({ status = 0 }) => status < 400)).toEqual([]);
  }

  /** What a browser loads without asking anybody. */
  async function attackByImages(tab: Page, host: string): Promise<void> {
    const since = site.log().length;
    const paths = ["logout/", "refresh/", `login/?username=${user}&password=x`, "password/"];
    const images = paths.map((path) => `<img src="${site.origin}/api/auth/${path}">`);
    await tab.goto(attacker.serve(host, images.join("")));
    expect(arrived(since, ["GET"]).map(({ status }) => status)).toEqual([405, 405, 405, 405]);
  }

  it.each(places)("from %s: not by forms, not by fetch, not by images", async (_, host) => {
    const tab = await device.newPage();
    await attackByForms(tab, host);
    await attackByFetch(tab, host);
    await attackByImages(tab, host);
    expect(await readState()).toEqual(before);
    await page.bringToFront();
    expect(await callApi(page)).toBe("200 OK");
    await logInAnew(await browser.device(), site, user); // the password is what it was
  });
});

const submitAll = "<script>for (const form of document.forms) form.submit()</script>";

interface Forgery {
  readonly path: string;
  readonly body: string;
}

/** What an attacker would want: JSON that a form can send too, or no body at all, which has no media type to refuse. */
function toForgeries(user: string): readonly Forgery[] {
  return [
    { path: "/api/auth/logout/", body: "" },
    { path: "/api/auth/logout/", body: '{"scope":"all"}' },
    { path: "/api/auth/password/", body: `{"current_password":"${password}","new_password":"chosen by the attacker"}` },
    { path: "/api/auth/login/", body: `{"username":"${user}","password":"${password}"}` },
    { path: "/api/auth/refresh/", body: "" },
  ];
}

/** A form that sends `json` as it is: `text/plain` puts nothing but an equals sign between name and value. */
function toForm(action: string, json: string, target: string): string {
  const name = json.replace(/\}$/, ',"pad":"').replaceAll('"', "&quot;");
  const input = json === "" ? "" : `<input name="${name}" value="&quot;}">`;
  return `<form target="${target}" method="post" enctype="text/plain" action="${action}">${input}</form>`;
}

/** Runs in the attacker's page: every call in three ways; what could be read of the answers. */
async function forge({
  origin,
  calls,
}: {
  readonly origin: string;
  readonly calls: readonly { readonly path: string; readonly method: string; readonly body: string | null }[];
}): Promise<string[]> {
  const ways = [
    { mode: "no-cors", headers: { "Content-Type": "text/plain" } },
    { mode: "cors", headers: { "Content-Type": "text/plain" } },
    { mode: "cors", headers: { "Content-Type": "application/json", "X-CSRFToken": "guessed" } },
  ] as const;
  const read = async (call: (typeof calls)[number], way: (typeof ways)[number]) => {
    const { method, body } = call;
    try {
      const init = { method, body, credentials: "include", mode: way.mode, headers: way.headers } as const;
      return await (await fetch(origin + call.path, init)).text();
    } catch {
      return "nothing";
    }
  };
  return Promise.all(calls.flatMap((call) => ways.map((way) => read(call, way))));
}
