import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Application, linkPath, openApplication } from "./application.ts";
import type { ApplicationWindow } from "./application-page.ts";
import { type Attacker, openAttacker } from "./attacker.ts";
import { openBrowser } from "./browsers.ts";
import type { Device, Tab, TestBrowser } from "./device.ts";
import { openNetwork } from "./network.ts";
import { password } from "./site.ts";
import { until } from "./until.ts";

declare const window: Window & typeof globalThis & ApplicationWindow;

describe("an application's page with the client", () => {
  let application: Application;
  let other: Attacker;
  let browser: TestBrowser;
  let device: Device;

  beforeAll(async () => {
    [application, other, browser] = await Promise.all([openApplication(), openAttacker(), openBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await other.close();
    await application.close();
  });
  beforeEach(async () => {
    device = await browser.device();
  });
  afterEach(() => device.close());

  /** Opens a page with a client. */
  async function openPage(origin = application.origin): Promise<Tab> {
    const page = await device.newPage();
    await page.goto(origin);
    await page.evaluate(createPageClient);
    return page;
  }

  /** Opens a page and logs in a new user. */
  async function openLoggedIn(): Promise<{ readonly page: Tab; readonly id: string; readonly username: string }> {
    const { id, username } = await application.newUser();
    const page = await openPage();
    await page.evaluate((credentials) => window.client.login(credentials), { username, password });
    return { page, id, username };
  }

  /** Makes the access token useless, and the client's clock say that it has expired. The client's timers don't know. */
  async function expireAccess(page: Tab): Promise<void> {
    await application.revokeAccess(device);
    await page.evaluate(moveClock);
  }

  it("logs a user in with a second factor, whose ticket login() takes, and has the public claims", async () => {
    const { id, username } = await application.newUser("otp");
    const page = await openPage();
    const { ticket, code } = await page.evaluate(logInToTicket, { username, password });
    expect(code).toBe("second_factor_required");
    expect(await page.evaluate(continueLogin, { ticket, code: "000000" })).toBe("second_factor_invalid");
    expect(await page.evaluate(continueLogin, { ticket, code: "123456" })).toBe("authenticated");
    expect(await page.evaluate(() => window.client.session().user)).toEqual({ id, username, claims: { plan: "pro" } });
    expect(await page.evaluate(continueLogin, { ticket, code: "123456" })).toBe("ticket_invalid");
  });

  it("adopts a login that happened without the client, in every tab", async () => {
    const { id, username } = await application.newUser();
    const [page, another] = [await openPage(), await openPage()];
    const statuses = () => Promise.all([page, another].map((tab) => tab.evaluate(readyStatus)));
    expect(await statuses()).toEqual(["anonymous", "anonymous"]);
    await page.evaluate(logInByLink, linkPath + id);
    const state = await page.evaluate(() => window.client.reload());
    expect(state).toMatchObject({ status: "authenticated", user: { id, username } });
    await until(async () => (await statuses()).every((status) => status === "authenticated"));
    expect(await page.evaluate(postPayout)).toBe("confirmation_required");
  });

  it("replaces a session that the client showed by the one of a login without the client", async () => {
    const { page, id } = await openLoggedIn();
    const next = await application.newUser();
    await page.evaluate(logInByLink, linkPath + next.id);
    expect(await page.evaluate(() => window.client.reload())).toMatchObject({ user: { id: next.id } });
    expect(await application.auth.sessions.list(id)).toEqual([]);
    const csrfToken = await page.evaluate(() => window.client.csrfToken());
    expect(await page.evaluate(uploadWith, csrfToken)).toBe(200);
    expect(application.answered().at(-1)).toBe(`POST /api/files/ ${next.id}`);
  });

  it("sends a payout after confirm(), which rejects a wrong password, and also after the next refresh", async () => {
    const { id } = await application.newUser();
    const page = await openPage();
    await page.evaluate(logInByLink, linkPath + id);
    await page.evaluate(() => window.client.reload());
    const refreshes = application.refreshes();
    expect(await page.evaluate(postPayout)).toBe("confirmation_required");
    expect(await page.evaluate(confirm, "not this one")).toBe("invalid");
    expect(await page.evaluate(postPayout)).toBe("confirmation_required");
    expect(application.refreshes()).toBe(refreshes);
    expect(await page.evaluate(confirm, password)).toBe("confirmed");
    expect(await page.evaluate(postPayout)).toBe("paid");
    await page.evaluate(() => window.client.refresh());
    expect(await page.evaluate(postPayout)).toBe("paid");
  });

  it.each([
    ["with Web Locks and BroadcastChannel", false],
    ["with neither Web Locks nor BroadcastChannel", true],
  ])(
    "sends a payout after confirm(), %s, while another tab waits for a late refresh",
    async (_, lacksLocksAndChannel) => {
      await device.close();
      device = await browser.device({ lacksLocksAndChannel });
      const [network, { id }] = [await openNetwork(application), await application.newUser()];
      const page = await openPage(network.origin);
      await page.evaluate(logInByLink, linkPath + id);
      await page.evaluate(() => window.client.reload());
      const another = await openPage(network.origin);
      expect(await another.evaluate(readyStatus)).toBe("authenticated");
      expect(await page.evaluate(postPayout)).toBe("confirmation_required");

      const held = network.hold("/api/auth/refresh/");
      await another.evaluate(() => void Object.assign(window, { refreshing: window.client.refresh() }));
      const release = await held;
      // With a lock, this waits for the other tab for two seconds. The server has answered that tab's refresh before.
      expect(await page.evaluate(confirm, password)).toBe("confirmed");
      release();
      await another.evaluate(() => (window as unknown as { refreshing: Promise<unknown> }).refreshing);
      expect(await page.evaluate(postPayout)).toBe("paid");
      expect(await another.evaluate(postPayout)).toBe("paid");
      expect(await application.auth.sessions.list(id)).toHaveLength(1);
      await network.close();
    },
  );

  it("uploads a file with XMLHttpRequest and csrfToken(), also after the access token has expired", async () => {
    const { page } = await openLoggedIn();
    const first = await page.evaluate(() => window.client.csrfToken());
    expect(await page.evaluate(uploadWith, "")).toBe(403);
    expect(await page.evaluate(uploadWith, first)).toBe(200);
    await expireAccess(page);
    expect(await page.evaluate(uploadWith, first)).toBe(401);
    const second = await page.evaluate(() => window.client.csrfToken());
    expect(second).not.toBe(first);
    expect(await page.evaluate(uploadWith, second)).toBe(200);
  });

  it("opens a WebSocket and an EventSource and downloads a file after ensure(), with one refresh", async () => {
    const { page, id } = await openLoggedIn();
    await expireAccess(page);
    expect(await page.evaluate(openSocket)).toBe("refused");
    expect(await page.evaluate(openEvents)).toBe("refused");
    const [refreshes, answers] = [application.refreshes(), application.answered().length];
    const statuses = await page.evaluate(() => Promise.all([window.client.ensure(), window.client.ensure()]));
    expect(statuses).toMatchObject([{ status: "authenticated" }, { status: "authenticated" }]);
    expect(await page.evaluate(openSocket)).toBe(id);
    expect(await page.evaluate(openEvents)).toBe(id);
    await page.evaluate(download);
    await until(() => application.answered().length >= answers + 3);
    const paths = ["GET /api/socket/", "GET /api/events/", "GET /api/files/"];
    expect(application.answered().slice(answers)).toEqual(paths.map((path) => `${path} ${id}`));
    expect(application.refreshes() - refreshes).toBe(1);
  });

  it("sends the global fetch as the user while it is patched, but not to other origins", async () => {
    const { page } = await openLoggedIn();
    const foreign = other.serve("localhost", "other");
    expect(await page.evaluate(postFile, "a,b")).toBe("403 csrf_failed");
    await page.evaluate(() => {
      Object.assign(window, { restore: window.library.patchFetch(window.client) });
    });
    await expireAccess(page);
    expect(await page.evaluate(postFile, "a,b")).toBe("200 3");
    // A CSRF token would make the browser ask that server for permission first, which it doesn't give.
    expect(await page.evaluate(postWithoutCors, foreign)).toBe("opaque");
    await page.evaluate(() => (window as unknown as { restore: () => void }).restore());
    expect(await page.evaluate(postFile, "a,b")).toBe("403 csrf_failed");
  });

  it("takes over what a server has rendered for the user, without a difference, and then shows what is true", async () => {
    const { id, username, page: first } = await openLoggedIn();
    const page = await device.newPage();
    await page.goto(`${application.origin}/rendered`);
    const heading = () => page.evaluate(() => document.querySelector("h1")?.textContent);
    expect(await heading()).toBe(`Hello ${username}`);
    await page.evaluate(hydrateAndRecord);
    await page.evaluate(readyStatus);
    expect(await page.evaluate(readShown)).toEqual({ differences: [], shown: [`Hello ${username}`] });
    expect((await application.auth.sessions.list(id)).length).toBe(1);

    await first.evaluate(() => window.client.logout());
    await until(async () => (await heading()) === "anonymous");

    // The server has rendered a user whose session is over by the time that the script runs.
    const late = await openLoggedIn();
    const stale = await device.newPage();
    await stale.goto(`${application.origin}/rendered`);
    await application.auth.sessions.revokeAllForUser(late.id);
    await stale.evaluate(hydrateAndRecord);
    await until(async () => (await stale.evaluate(() => document.querySelector("h1")?.textContent)) === "anonymous");
    const { differences, shown } = await stale.evaluate(readShown);
    expect([differences, shown[0]]).toEqual([[], `Hello ${late.username}`]);
  });
});

// All functions below run in the page.

function createPageClient(): void {
  window.client = window.library.createClient();
}

async function readyStatus(): Promise<string> {
  return (await window.client.ready()).status;
}

function moveClock(): void {
  const { now } = Date;
  Date.now = () => now() + 3_600_000;
}

/** Returns the ticket of a login that needs a second factor, and the code of the error. */
function logInToTicket(credentials: { readonly username: string; readonly password: string }) {
  return window.client.login(credentials).then(
    () => ({ ticket: "", code: "logged in" }),
    ({ code, body }) => ({ ticket: String(body.ticket), code: String(code) }),
  );
}

/** Returns the status after the second step, or the code of the error. */
function continueLogin(step: { readonly ticket: string; readonly code: string }): Promise<string> {
  return window.client.login(step).then(
    ({ status }) => status,
    ({ code }) => code,
  );
}

/** Logs in as a form or a link does. */
async function logInByLink(path: string): Promise<void> {
  const response = await fetch(path, { method: "POST" });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
}

/** Returns "paid" or the code of the refusal. */
async function postPayout(): Promise<string> {
  const json = await (await window.client.fetch("/api/payouts/", { method: "POST" })).json();
  return json.paid ? "paid" : json.code;
}

function confirm(password: string): Promise<string> {
  return window.client.confirm(password).then(
    () => "confirmed",
    ({ code }) => code,
  );
}

/** Returns the status of an upload. */
function uploadWith(csrfToken: string): Promise<number> {
  const request = new XMLHttpRequest();
  request.open("POST", "/api/files/");
  if (csrfToken) request.setRequestHeader("X-CSRFToken", csrfToken);
  request.send(new File(["a,b"], "report.csv"));
  return new Promise((resolve) => {
    request.onloadend = () => resolve(request.status);
  });
}

/** Returns the first message. */
function openSocket(): Promise<string> {
  const socket = new WebSocket(`ws://${location.host}/api/socket/`);
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = () => resolve("refused");
  });
}

/** Returns the first message. */
function openEvents(): Promise<string> {
  const events = new EventSource("/api/events/");
  return new Promise<string>((resolve) => {
    events.onmessage = ({ data }) => resolve(data);
    events.onerror = () => resolve("refused");
  }).finally(() => events.close());
}

function download(): void {
  const link = document.createElement("a");
  Object.assign(link, { href: "/api/files/", download: "report.csv" });
  document.body.append(link);
  link.click();
}

/** Sends a file by the global fetch. Returns the status and the server's text or code. */
async function postFile(body: string): Promise<string> {
  const response = await fetch("/api/files/", { method: "POST", body });
  const text = await response.text();
  return `${response.status} ${text.startsWith("{") ? JSON.parse(text).code : text}`;
}

/** Returns the type of the response. */
async function postWithoutCors(url: string): Promise<string> {
  return (await fetch(url, { method: "POST", mode: "no-cors" })).type;
}

/** Hydrates the page, and records what it shows from now on. */
function hydrateAndRecord(): void {
  const { library } = window;
  const root = document.querySelector("#root") as Element;
  const shown = [root.textContent];
  const record = () => shown.at(-1) === root.textContent || shown.push(root.textContent);
  new MutationObserver(record).observe(root, { subtree: true, childList: true, characterData: true });
  window.client = library.createClient();
  Object.assign(window, { rendering: { shown, differences: library.hydrate() } });
}

function readShown() {
  return (window as unknown as { rendering: { differences: readonly string[]; shown: readonly string[] } }).rendering;
}
