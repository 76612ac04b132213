import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Attacker, openAttacker, otherSite } from "./attacker.ts";
import { openBrowser } from "./browsers.ts";
import type { Device, Tab, TestBrowser } from "./device.ts";
import { callApi, openLoggedIn } from "./person.ts";
import { type LogLine, openSite, password, type Site } from "./site.ts";
import { until } from "./until.ts";

/** A browser treats another port as the same site and sends all cookies. The others get none, or only Lax cookies. */
const places = [
  ["another port", "localhost"],
  ["another host name", "127.0.0.1"],
  ["a host below this one", "evil.localhost"],
  ["another site", otherSite],
] as const;

describe("cross-site request forgery", () => {
  let site: Site;
  let attacker: Attacker;
  let browser: TestBrowser;
  let device: Device;
  let user: string;
  let page: Tab;
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
    page = await openLoggedIn(device, site, user);
    before = await readState();
  });
  afterEach(() => device.close());

  /** Returns all that an attack could change, except the password. */
  const readState = async () => ({
    cookies: await device.cookies(`${site.origin}/api/auth`),
    sessions: await site.sessionsOf(user),
  });

  /** Returns the requests with these methods that have arrived since. */
  const arrived = async (since: number, methods: readonly string[]): Promise<readonly LogLine[]> =>
    (await site.log()).slice(since).filter(({ msg, method = "" }) => msg === "request" && methods.includes(method));

  /** Submits forms of every kind, each in its own frame, and then one that navigates the whole tab. */
  async function attackByForms(tab: Tab, host: string): Promise<void> {
    const since = (await site.log()).length;
    const forgeries = toForgeries(user);
    const forms = forgeries.map(({ path, body }, at) => toForm(`${site.origin}${path}`, body, `frame${at}`));
    const frames = forms.map((_, at) => `<iframe name="frame${at}"></iframe>`);
    await tab.goto(attacker.serve(host, frames.join("") + forms.join("")));
    await tab.evaluate(submitAll);
    await until(async () => (await arrived(since, ["POST"])).length >= forms.length);
    const path = "/api/auth/logout/";
    await tab.goto(attacker.serve(host, toForm(`${site.origin}${path}`, '{"scope":"all"}', "_top")));
    // The page may be gone before it has answered.
    await tab.evaluate(submitAll).catch(() => undefined);
    await until(async () => (await tab.evaluate(() => location.pathname).catch(() => "")) === path);
    const posts = await arrived(since, ["POST"]);
    expect(posts.length).toBeGreaterThan(forms.length);
    expect(posts.filter(({ status = 0 }) => status < 400)).toEqual([]);
  }

  /** Sends every call in every mode. The attacker's page can read none of the responses. */
  async function attackByFetch(tab: Tab, host: string): Promise<void> {
    const since = (await site.log()).length;
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
      calls.flatMap(() => ["", "unreadable", "unreadable"]).map((text) => expect.toBeOneOf([text, "unreadable"])),
    );
    const changing = await arrived(since, ["POST", "PATCH", "DELETE"]);
    expect(changing.length).toBeGreaterThanOrEqual(toForgeries(user).length);
    expect(changing.filter(({ status = 0 }) => status < 400)).toEqual([]);
  }

  /** Loads images, which a browser requests without a preflight. */
  async function attackByImages(tab: Tab, host: string): Promise<void> {
    const since = (await site.log()).length;
    const paths = ["logout/", "refresh/", `login/?username=${user}&password=x`, "password/"];
    const images = paths.map((path) => `<img src="${site.origin}/api/auth/${path}">`);
    await tab.goto(attacker.serve(host, images.join("")));
    // The user's own page loads its list of devices now and then.
    const loaded = (await arrived(since, ["GET"])).filter(({ path }) => path !== "/api/auth/sessions/");
    expect(loaded.map(({ status }) => status)).toEqual([405, 405, 405, 405]);
  }

  it.each(places)("refuses every forged form, fetch and image from %s", async (_, host) => {
    const tab = await device.newPage();
    await attackByForms(tab, host);
    await attackByFetch(tab, host);
    await attackByImages(tab, host);
    expect(await readState()).toEqual(before);
    await page.bringToFront();
    expect(await callApi(page)).toBe("200 OK");
    await openLoggedIn(await browser.device(), site, user); // the password is unchanged
  });
});

/**
 * Runs in the attacker's page, once it is loaded, and waits for its frames: a navigation of the page's own, or the error page of
 * a frame, would end the driver's navigation.
 */
async function submitAll(): Promise<void> {
  const frames = [...document.querySelectorAll("iframe")];
  const loads = frames.map((frame) => new Promise((resolve) => frame.addEventListener("load", resolve)));
  for (const form of document.forms) form.submit();
  await Promise.all(loads);
}

interface Forgery {
  readonly path: string;
  readonly body: string;
}

/** Returns requests that an attacker would send: JSON that a form can send too, or no body, which has no media type. */
function toForgeries(user: string): readonly Forgery[] {
  return [
    { path: "/api/auth/logout/", body: "" },
    { path: "/api/auth/logout/", body: '{"scope":"all"}' },
    { path: "/api/auth/password/", body: `{"current_password":"${password}","new_password":"chosen by the attacker"}` },
    { path: "/api/auth/login/", body: `{"username":"${user}","password":"${password}"}` },
    { path: "/api/auth/refresh/", body: "" },
  ];
}

/** Returns a form that sends `json` unchanged: `text/plain` only puts an equals sign between name and value. */
function toForm(action: string, json: string, target: string): string {
  const name = json.replace(/\}$/, ',"pad":"').replaceAll('"', "&quot;");
  const input = json === "" ? "" : `<input name="${name}" value="&quot;}">`;
  return `<form target="${target}" method="post" enctype="text/plain" action="${action}">${input}</form>`;
}

/** Runs in the attacker's page. Sends every call in three ways and returns what the page could read. */
async function forge({
  origin,
  calls,
}: {
  readonly origin: string;
  readonly calls: readonly { readonly path: string; readonly method: string; readonly body: string | null }[];
}): Promise<string[]> {
  const modes = [
    { mode: "no-cors", headers: { "Content-Type": "text/plain" } },
    { mode: "cors", headers: { "Content-Type": "text/plain" } },
    { mode: "cors", headers: { "Content-Type": "application/json", "X-CSRFToken": "guessed" } },
  ] as const;
  const read = async (call: (typeof calls)[number], way: (typeof modes)[number]) => {
    const { method, body } = call;
    try {
      const init = { method, body, credentials: "include", mode: way.mode, headers: way.headers } as const;
      return await (await fetch(origin + call.path, init)).text();
    } catch {
      return "unreadable";
    }
  };
  return Promise.all(calls.flatMap((call) => modes.map((way) => read(call, way))));
}
