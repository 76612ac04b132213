/** The demonstration, in Chromium, at a real `serve --demo`. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openNodes } from "../support/nodes.ts";
import { collectViolations, findFaults } from "./axe.ts";
import { findChromium } from "./executable.ts";
import { until } from "./until.ts";

const password = "correct horse battery staple";

/** Seconds. The scripts wait for its end. */
const reuseInterval = 5;

let nodes: Awaited<ReturnType<typeof openNodes>>;
let browser: Browser;
let origin: string;
let log = "";

beforeAll(async () => {
  const env = { TOKENPAIR_PAGE: "true", TOKENPAIR_LOG_LEVEL: "info", TOKENPAIR_REUSE_INTERVAL: String(reuseInterval) };
  nodes = await openNodes({ database: "SQLite", servers: 1, env, args: ["--demo"] });
  origin = `http://localhost:${nodes.servers[0]?.port}`;
  for (const stream of [nodes.servers[0]?.process.stdout, nodes.servers[0]?.process.stderr]) {
    stream?.on("data", (text) => {
      log += String(text);
    });
  }
  await nodes.addUser("alice", password);
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  browser = await chromium.launch({ executablePath: await findChromium(), args });
});
afterAll(async () => {
  await browser.close();
  await nodes.close();
});

interface Look {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
  readonly forcedColors?: "active" | "none";
}

async function open({ width = 1280, colorScheme = "light", forcedColors = "none" }: Look = {}): Promise<Page> {
  const context = await browser.newContext({
    ...{ viewport: { width, height: 900 }, colorScheme, forcedColors, reducedMotion: "reduce" },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  onTestFinished(() => context.close());
  await context.addInitScript(collectViolations);
  const page = await context.newPage();
  await page.goto(origin);
  return page;
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel("Username").fill("alice");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await seeLine(page, "Logged in");
}

async function openLoggedIn(look?: Look): Promise<Page> {
  const page = await open(look);
  await logIn(page);
  return page;
}

const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const seeLine = (page: Page, text: string | RegExp) => page.getByRole("log").getByText(text).first().waitFor();
const readOutcome = async (page: Page) => (await page.locator(".outcome").textContent()) ?? "";

async function seeOutcome(page: Page, pattern: RegExp): Promise<string> {
  await until(async () => pattern.test(await readOutcome(page)));
  return readOutcome(page);
}

/** Returns the lines of a lane. */
const readLane = (page: Page, lane: string) => page.locator(`.timeline .lane-${lane} b`).allTextContents();

const readCookies = async (context: BrowserContext) =>
  (await context.cookies(`${origin}/api/auth/`)).filter(({ name }) => !/csrf/.test(name)).map(({ value }) => value);

describe("the demonstration", () => {
  it("plays the attacker who comes late, and gets nothing", async () => {
    const page = await openLoggedIn();
    expect(await findFaults(page)).toEqual([]);
    await press(page, "Attacker comes late");
    const text = await seeOutcome(page, /got nothing/);
    expect(text).toMatch(/held a copy for [\d.]+ s .* the other node refused it [\d.]+ m?s later/);
    await seeLine(page, "Logged out");
    expect(await readLane(page, "attacker")).toEqual(["Copies your refresh token 0", "Uses 0: a spent token"]);
    expect(await readLane(page, "tab")).toEqual(["Logged in", "Refresh 0 → 1", "Logged out"]);
    expect(await readLane(page, "node")).toEqual(["Session refused"]);
    await seeLine(page, /an old token of this session was used again/);
    expect(await page.locator(".inside dd").allTextContents()).toEqual(["0 s", "30 days"]);
    expect(await findFaults(page)).toEqual([]);
    // The next script needs no other button: it begins a new session by itself.
    const tab = page
      .locator(".holders small")
      .first()
      .filter({ hasText: /^spent, and you don't know$/ });
    // It says so only until the user refreshes.
    await Promise.all([tab.waitFor(), press(page, "Attacker comes first")]);
    await seeLine(page, "Is logged in as you");
    expect((await readLane(page, "tab"))[0]).toBe("Logged in");
  });

  it("plays the attacker who comes first, and is inside until the user refreshes", async () => {
    const page = await openLoggedIn({ colorScheme: "dark" });
    expect(await findFaults(page)).toEqual([]);
    await press(page, "Attacker comes first");
    await page.getByText("is logged in as you", { exact: true }).waitFor();
    expect(await seeOutcome(page, /logged in as you for/)).toMatch(/before you refreshed.*Your own refresh/);
    await seeLine(page, "Logged out");
    expect(await readLane(page, "attacker")).toEqual([
      "Copies your refresh token 0",
      "Refreshes 0 → 1",
      "Is logged in as you",
      "Access token refused",
      "Refresh token refused",
    ]);
    expect(await findFaults(page)).toEqual([]);
  });

  it("plays the attacker within the grace period, who gets the same token", async () => {
    const page = await openLoggedIn({ width: 320 });
    await press(page, "Attacker is quick");
    await seeLine(page, "Is logged in as you");
    expect(await findFaults(page)).toEqual([]);
    expect(await seeOutcome(page, /logged in as you for/)).toMatch(/got the same token as you: within 5 s/);
    expect(await readLane(page, "attacker")).toEqual([
      "Copies your refresh token 0",
      "Uses 0, gets 1 too",
      "Is logged in as you",
      "Uses 1: a spent token",
      "Access token refused",
      "Refresh token refused",
    ]);
  });

  it("loses a response, and the user stays logged in", async () => {
    const page = await openLoggedIn();
    await press(page, "Lose a response");
    await seeOutcome(page, /asked again .* the same token 1: you stay logged in/);
    expect(await readLane(page, "tab")).toEqual([
      "Logged in",
      "Refresh 0 → 1, response lost",
      "Asks again, gets the same 1",
    ]);
    await press(page, "Refresh now");
    await seeLine(page, "Refresh 1 → 2");
  });

  it("opens a second tab, and refreshes once for both", async () => {
    const page = await openLoggedIn();
    const popup = page.waitForEvent("popup");
    await press(page, "Open a second tab");
    const second = await popup;
    await seeOutcome(page, /The server saw 1 refresh, and both tabs continue/);
    expect(await readLane(page, "second")).toEqual(
      expect.arrayContaining(["Opens, shares the session", "Calls the API: 200"]),
    );
    expect(await findFaults(second)).toEqual([]);
    await press(page, "Revoke from another node");
    await seeOutcome(page, /Revoked on the other node. This node refused the session/);
    await until(async () => (await readLane(page, "second")).includes("Logged out"));
  });

  it("counts the refresh of both tabs although the server's events arrive late", async () => {
    const page = await openLoggedIn();
    await page.evaluate(delayEvents);
    await press(page, "Start over");
    await until(async () => (await readLane(page, "tab")).join() === "Logged in");
    await press(page, "Open a second tab");
    await seeOutcome(page, /The server saw \d/);
    expect(await readOutcome(page)).toMatch(/The server saw 1 refresh,/);
  });

  it("reports a blocked second tab, and no unhandled rejection after it", async () => {
    const page = await openLoggedIn();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.clock.install();
    await page.evaluate(() => {
      globalThis.open = () => null;
    });
    await press(page, "Open a second tab");
    await page.getByText("Your browser has blocked the window.").waitFor();
    // Longer than the page waits for a tab that opens.
    await page.clock.runFor(30_000);
    // The browser reports rejections after the timers.
    await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
    expect(errors).toEqual([]);
  });

  it("disables the user, and enables the user again", async () => {
    const page = await openLoggedIn();
    const isActive = async () => (await nodes.auth.users.findByName("alice"))?.isActive;
    await press(page, "Disable me");
    // The server enables the user again after ten seconds.
    await until(async () => (await isActive()) === false);
    await seeOutcome(page, /Disabled on the other node/);
    await seeLine(page, "You were logged out because your account was disabled");
    await until(async () => (await isActive()) === true);
    // No password is needed, because the demonstration itself has revoked the session.
    await press(page, "Start over");
    await until(async () => (await readLane(page, "tab")).join() === "Logged in");
    await press(page, "Refresh now");
    await seeOutcome(page, /is spent/);
  });

  it("works by keyboard, keeps the focus, and copies the timeline as text", async () => {
    const page = await openLoggedIn({ width: 320, colorScheme: "dark" });
    const isOn = (name: string) =>
      page.evaluate((text) => document.activeElement?.closest("button")?.textContent?.includes(text) === true, name);
    for (let n = 0; n < 30 && !(await isOn("Refresh now")); n++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await seeOutcome(page, /Token 0 is spent. Token 1 replaced it in/);
    expect(await isOn("Refresh now")).toBe(true);
    await press(page, "Copy as text");
    await page.getByText("Copied.").waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    expect(text).toMatch(/This tab: Refresh 0 → 1 \(/);
    expect(await findFaults(page)).toEqual([]);
    await press(page, "Start over");
    await until(async () => (await readLane(page, "tab")).join() === "Logged in");
  });

  it("has no barriers in forced colors, and none in the account", async () => {
    const page = await openLoggedIn({ forcedColors: "active" });
    expect(await findFaults(page)).toEqual([]);
    await page.getByRole("link", { name: "My account" }).click();
    await page.getByRole("heading", { level: 1, name: "alice" }).waitFor();
    await page.getByText("This session").nth(1).waitFor();
    expect(await findFaults(page)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 800 });
    expect(await findFaults(page)).toEqual([]);
  });

  it("shows no token to a script, and writes none to the log", async () => {
    const page = await open();
    const bodies: string[] = [];
    page.on(
      "response",
      (response) =>
        void response.text().then(
          (text) => bodies.push(text),
          () => {},
        ),
    );
    await logIn(page);
    const tokens = await readCookies(page.context());
    await press(page, "Steal this token");
    await seeLine(page, "Copies your refresh token 0");
    await press(page, "Use the stolen token");
    await seeLine(page, "Is logged in as you");
    tokens.push(...(await readCookies(page.context())));
    await press(page, "Revoke from another node");
    await seeOutcome(page, /Revoked on/);
    expect(tokens.length).toBeGreaterThan(3);
    const shown = [
      await page.content(),
      ...bodies,
      log,
      await page.evaluate(() => JSON.stringify({ ...localStorage })),
    ];
    for (const token of tokens) expect(shown.some((text) => text.includes(token))).toBe(false);
    // Nor is there any other token, such as the one that the attacker got.
    expect(shown.filter((text) => /eyJ[\w-]+\.[\w-]+\.[\w-]+/.test(text))).toEqual([]);
  });
});

/** Runs in the page. Delivers events one second late. */
function delayEvents(): void {
  const { addEventListener: add } = EventTarget.prototype;
  Object.assign(EventSource.prototype, {
    addEventListener(this: EventSource, type: string, listener: (event: Event) => void) {
      add.call(this, type, (event) => setTimeout(() => listener(event), 1_000));
    },
  });
}

describe("the session of the demonstration", () => {
  it("says who is logged in, and can be logged out", async () => {
    const page = await openLoggedIn({ width: 320 });
    await page.getByText("You are logged in as alice.").waitFor();
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.getByText("You are logged out.").first().waitFor();
    await page.getByLabel("Username").waitFor();
  });
});

describe("the account", () => {
  it("shows the login and the history, and logs out other devices that the user doesn't know", async () => {
    const other = await openLoggedIn();
    const page = await openLoggedIn();
    await page.goto(`${origin}/#account`);
    await page.reload();
    await page.getByRole("heading", { name: "Security history" }).waitFor();
    await page.getByText("Logged in").first().waitFor();
    await page.locator(".devices li").nth(1).waitFor();
    expect(await page.locator(".facts time").allTextContents()).toHaveLength(2);
    await press(page, "This wasn't me");
    await page.getByText("All other devices were logged out. Choose a new password now.").waitFor();
    // Without a reload.
    await until(async () => (await page.locator(".devices li").count()) === 1);
    expect(await page.getByRole("button", { name: "Log out all other devices" }).isVisible()).toBe(false);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("current_password");
    await seeLine(other, "Logged out");
  });

  it("doesn't draw a box around a heading that has the focus", async () => {
    const page = await open();
    await page.goto(`${origin}/#account`);
    await page.reload();
    await page.getByLabel("Username").fill("alice");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "alice" }).waitFor();
    const look = await page.evaluate(() => {
      const { activeElement } = document;
      return [activeElement?.tagName, activeElement && getComputedStyle(activeElement).outlineStyle];
    });
    expect(look).toEqual(["H1", "none"]);
  });
});
