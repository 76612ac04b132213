/** The scripts and buttons of the demonstration in every browser, and over both databases in Chromium. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { browserName, openBrowser } from "./browsers.ts";
import type { Device, Tab, TestBrowser } from "./device.ts";
import { watchFaults } from "./faults.ts";
import { password } from "./site.ts";
import { until } from "./until.ts";

/** Seconds. The scripts wait for its end. */
const reuseInterval = 5;

const databases = browserName === "chromium" ? (["SQLite", "PostgreSQL"] as const) : (["SQLite"] as const);

const lanes = { tab: ".lane-tab", second: ".lane-second", attacker: ".lane-attacker", node: ".lane-node" } as const;

const readLane = (page: Tab, lane: keyof typeof lanes) => page.locator(`.timeline ${lanes[lane]} b`).allTextContents();

/**
 * Presses a button by its name, which a hint may follow. WebKit's driver clicks where the button was, so this waits until the lines
 * above it no longer move it.
 */
async function press(page: Tab, name: string): Promise<void> {
  const button = page.getByRole("button", { name: new RegExp(`^${name}`) });
  await button.waitFor();
  let place = "";
  await until(async () => {
    const before = place;
    place = await button.evaluateAll(([element]) => {
      element?.scrollIntoView({ block: "center", behavior: "instant" });
      return JSON.stringify(element?.getBoundingClientRect());
    });
    return place === before;
  });
  await button.click();
}

/** Waits until the lane has exactly these lines. */
async function seeLane(page: Tab, lane: keyof typeof lanes, lines: readonly string[]): Promise<void> {
  await until(async () => (await readLane(page, lane)).join("|") === lines.join("|")).catch(async (cause: unknown) => {
    throw new Error(`the lane ${lane} has ${(await readLane(page, lane)).join("|")}`, { cause });
  });
}

/** Waits for the sentence that says what has happened. */
async function seeOutcome(page: Tab, pattern: RegExp): Promise<void> {
  const read = async () => (await page.locator(".outcome").allTextContents()).join("");
  await until(async () => pattern.test(await read())).catch(async (cause: unknown) => {
    throw new Error(`the outcome is ${await read()}`, { cause });
  });
}

describe.each(databases)("the demonstration over %s", (database) => {
  let nodes: Nodes;
  let browser: TestBrowser;
  let device: Device;
  let page: Tab;
  let username: string;
  let faults: readonly string[];
  let serial = 0;

  beforeAll(async () => {
    const env = { TOKENPAIR_PAGE: "true", TOKENPAIR_REUSE_INTERVAL: String(reuseInterval) };
    [nodes, browser] = await Promise.all([
      openNodes({ database, servers: 1, env, args: ["--demo"] }),
      openBrowser({ hasWindows: true }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await nodes?.close();
  });
  beforeEach(async () => {
    serial += 1;
    username = `user-${serial}`;
    await nodes.addUser(username, password);
    device = await browser.device();
    faults = watchFaults(device);
    page = await device.newPage();
    await page.goto(`http://localhost:${nodes.servers[0]?.port}/`);
    await page.getByLabel("Username").fill(username);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await seeLane(page, "tab", ["Logged in"]);
  });
  afterEach(async () => {
    // A refused request is part of most scripts, and browsers report it.
    const own = faults.filter((text) => /Content.Security|Trusted|Uncaught|TypeError/i.test(text));
    await device.close();
    expect(own).toEqual([]);
  });

  it("plays the attacker who comes late, and gets nothing", async () => {
    await press(page, "Attacker comes late");
    await seeOutcome(page, /got nothing/);
    await seeLane(page, "attacker", ["Copies your refresh token 0", "Uses 0: a spent token"]);
    await seeLane(page, "tab", ["Logged in", "Refresh 0 → 1", "Logged out"]);
    await seeLane(page, "node", ["Session refused"]);
    const entries = (await nodes.auth.audit.list({ limit: 1_000 })).entries;
    const userId = (await nodes.auth.users.findByName(username))?.id;
    expect(entries.some((entry) => entry.userId === userId && entry.reason === "reuse")).toBe(true);
  });

  it("plays the attacker who comes first, and is inside until the user refreshes", async () => {
    await press(page, "Attacker comes first");
    await seeOutcome(page, /logged in as you for/);
    await seeLane(page, "attacker", [
      "Copies your refresh token 0",
      "Refreshes 0 → 1",
      "Is logged in as you",
      "Access token refused",
      "Refresh token refused",
    ]);
  });

  it("plays the attacker within the grace period, who gets the same token", async () => {
    await press(page, "Attacker is quick");
    await seeOutcome(page, /logged in as you for/);
    await seeLane(page, "attacker", [
      "Copies your refresh token 0",
      "Uses 0, gets 1 too",
      "Is logged in as you",
      "Uses 1: a spent token",
      "Access token refused",
      "Refresh token refused",
    ]);
  });

  it("plays no script whose events were lost, not even after it starts over", async () => {
    await page.evaluate(() => {
      const { EventSource: original } = globalThis;
      class Failing extends EventTarget {
        constructor() {
          super();
          globalThis.EventSource = original;
          setTimeout(() => this.dispatchEvent(new Event("error")));
        }
        close() {}
      }
      globalThis.EventSource = Failing as never;
    });
    await press(page, "Attacker comes late");
    await page.getByText("The connection to the server was lost.").waitFor();
    await press(page, "Start over");
    await seeLane(page, "tab", ["Logged in"]);
    await press(page, "Refresh now");
    await seeLane(page, "tab", ["Logged in", "Refresh 0 → 1"]);
    await seeLane(page, "attacker", []);
  });

  it("refreshes, loses a response, and starts over", async () => {
    await press(page, "Refresh now");
    await seeLane(page, "tab", ["Logged in", "Refresh 0 → 1"]);
    await press(page, "Lose a response");
    await seeOutcome(page, /you stay logged in/);
    await seeLane(page, "tab", [
      "Logged in",
      "Refresh 0 → 1",
      "Refresh 1 → 2, response lost",
      "Asks again, gets the same 2",
    ]);
    await press(page, "Start over");
    await seeLane(page, "tab", ["Logged in"]);
  });

  it("opens a second tab, which shares one refresh, and is logged out with the first one", async () => {
    await press(page, "Open a second tab");
    await seeOutcome(page, /The server saw 1 refresh/);
    await until(async () => (await readLane(page, "second")).includes("Calls the API: 200"));
    await press(page, "Revoke from another node");
    await seeOutcome(page, /Revoked on the other node/);
    await until(async () => (await readLane(page, "second")).includes("Logged out"));
    await until(async () => (await readLane(page, "tab")).includes("Logged out"));
  });

  it("steals a token, and uses it", async () => {
    await press(page, "Steal this token");
    await seeLane(page, "attacker", ["Copies your refresh token 0"]);
    await press(page, "Use the stolen token");
    await seeLane(page, "attacker", ["Copies your refresh token 0", "Refreshes 0 → 1", "Is logged in as you"]);
  });

  it("disables the user, says why, enables the user again, and starts over without a password", async () => {
    await press(page, "Disable me");
    await seeOutcome(page, /Disabled on the other node/);
    await until(async () =>
      /because your account was disabled/.test((await page.locator("[role=log]").allTextContents()).join()),
    );
    await until(async () => (await nodes.auth.users.findByName(username))?.isActive === true);
    await press(page, "Start over");
    await seeLane(page, "tab", ["Logged in"]);
    await press(page, "Refresh now");
    await until(async () => /^Logged in\|Refresh \d → \d$/.test((await readLane(page, "tab")).join("|")));
  });
});
